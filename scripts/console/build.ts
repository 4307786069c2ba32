// Builds the console's page: one HTML file with its script and styles inside. It does nothing when the page is newer than its sources.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { scriptOf } from './bundle.ts'

const folder = fileURLToPath(new URL('../../packages/console/', import.meta.url))
const page = join(folder, 'dist/console.html')

/** The most that the page may be when it is compressed. */
const mostGzippedBytes = 250_000

if (process.argv.includes('--always') || !isFresh()) await build()

function isFresh(): boolean {
  if (!existsSync(page)) return false
  const builtMs = statSync(page).mtimeMs
  const sources = [join(folder, 'src'), import.meta.dirname].flatMap((from) =>
    readdirSync(from, { recursive: true, encoding: 'utf8' }).map((name) => join(from, name)),
  )
  return [...sources, join(folder, 'package.json')].every((path) => statSync(path).mtimeMs < builtMs)
}

async function build(): Promise<void> {
  const began = performance.now()
  const script = await scriptOf(join(folder, 'src/main.tsx'))
  const html = readFileSync(join(folder, 'src/console.html'), 'utf8')
    .replace('/* styles */', () => minified(readFileSync(join(folder, 'src/console.css'), 'utf8')))
    .replace('/* script */', () => script)
  const gzippedBytes = gzipSync(html).length
  if (gzippedBytes > mostGzippedBytes) throw new Error(`the console has ${gzippedBytes} bytes compressed, more than ${mostGzippedBytes}`)
  mkdirSync(dirname(page), { recursive: true })
  writeFileSync(page, html)
  console.error(`built the console: ${html.length} bytes, ${gzippedBytes} compressed, ${Math.round(performance.now() - began)} ms`)
}

/** Without comments and line breaks. The styles have no strings with more than one space. */
function minified(css: string): string {
  return css.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/\s+/g, ' ')
}
