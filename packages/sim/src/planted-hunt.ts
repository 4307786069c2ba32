// Hunts one planted bug: a child process loads the sources with the bug in them and plays seeds until one fails.
import { fileURLToPath } from 'node:url'
import type { PlantedBug } from './planted-bug.ts'
import { startProgram } from './program.ts'
import type { SeedResult } from './scenario.ts'

export type Hunt =
  | { readonly kind: 'caught'; readonly seed: number; readonly rule: string; readonly message: string }
  | { readonly kind: 'not caught'; readonly message: string }

/** `node`: the arguments that this process runs with itself. */
export async function huntOne(
  bug: PlantedBug,
  { seeds, node }: { readonly seeds: number; readonly node: readonly string[] },
): Promise<Hunt> {
  const main = fileURLToPath(new URL('main.ts', import.meta.url))
  const options = ['--with-bug', bug.name, '--scenario', bug.scenario, '--seeds', String(seeds), '--json']
  // Its exit code is 1 when a seed fails, as it should.
  const { stdout, stderr } = await startProgram(process.execPath, [...node, main, ...options]).ended
  for (const line of stdout.split('\n').filter((text) => text.startsWith('{'))) {
    const { seed, violations } = JSON.parse(line) as SeedResult
    const [first] = violations
    if (first !== undefined) return { kind: 'caught', seed, rule: first.rule, message: first.message }
  }
  if (stderr.length > 0) return { kind: 'not caught', message: `the run with the bug broke: ${stderr.trim()}` }
  return { kind: 'not caught', message: `${seeds} seeds of '${bug.scenario}' ran clean` }
}
