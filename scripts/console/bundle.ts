// The console's script, as one text that may stand inside an HTML page.
import { dirname } from 'node:path'
import { rolldown } from 'rolldown'

export async function scriptOf(entry: string): Promise<string> {
  await using bundle = await rolldown({
    input: entry,
    cwd: dirname(entry),
    platform: 'browser',
    // The tsconfig.json beside the sources says how JSX is compiled.
    transform: { target: 'es2022' },
    external: () => false,
  })
  const { output } = await bundle.generate({ format: 'iife', minify: true })
  const [chunk, ...more] = output
  if (more.length > 0)
    throw new Error(`the console must be one script, but there is also ${more.map(({ fileName }) => fileName).join(', ')}`)
  // Either would end or confuse the element that the script is in. In JavaScript `\x3c` is the same character inside strings, templates and patterns.
  return chunk.code.replaceAll(/<(?=\/script|!--)/gi, '\\x3c')
}
