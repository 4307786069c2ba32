// Hunts one planted bug: a child process loads the sources with the bug in them and plays seeds until one fails.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { PlantedBug } from './planted-bugs.ts'
import type { Verdict } from './scenario.ts'

export type Hunt =
  | { readonly kind: 'caught'; readonly seed: number; readonly rule: string; readonly message: string }
  | { readonly kind: 'not caught'; readonly message: string }

/** `node`: the arguments that this process runs with itself. */
export async function huntOne(
  bug: PlantedBug,
  { seeds, node }: { readonly seeds: number; readonly node: readonly string[] },
): Promise<Hunt> {
  const main = fileURLToPath(new URL('main.ts', import.meta.url))
  const { output, errors } = await ended([
    ...node,
    main,
    '--with-bug',
    bug.name,
    '--scenario',
    bug.scenario,
    '--seeds',
    String(seeds),
    '--json',
  ])
  for (const line of output.split('\n').filter((text) => text.startsWith('{'))) {
    const { seed, violations } = JSON.parse(line) as Verdict
    const [first] = violations
    if (first !== undefined) return { kind: 'caught', seed, rule: first.rule, message: first.message }
  }
  if (errors.length > 0) return { kind: 'not caught', message: `the run with the bug broke: ${errors.trim()}` }
  return { kind: 'not caught', message: `${seeds} seeds of '${bug.scenario}' ran clean` }
}

function ended(args: readonly string[]): Promise<{ readonly output: string; readonly errors: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const output: Buffer[] = []
    const errors: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
    child.once('error', reject)
    child.once('close', () => resolve({ output: Buffer.concat(output).toString(), errors: Buffer.concat(errors).toString() }))
  })
}
