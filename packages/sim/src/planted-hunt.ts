// Hunts one planted bug: a child process loads the sources with the bug in them and plays seeds until one fails.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { PlantedBug } from './planted-bugs.ts'
import type { Verdict } from './scenario.ts'

export type Hunt =
  | { readonly kind: 'caught'; readonly seed: number; readonly rule: string; readonly message: string }
  | { readonly kind: 'not caught'; readonly message: string }

export async function huntOne(bug: PlantedBug, seeds: number): Promise<Hunt> {
  const child = fileURLToPath(new URL('planted-child.ts', import.meta.url))
  const { code, output, errors } = await ended([...process.execArgv, child, bug.name, String(seeds)])
  const last = output.trimEnd().split('\n').at(-1) ?? ''
  if (code !== 0) return { kind: 'not caught', message: `the run with the bug broke (exit ${code}): ${errors.trim() || last}` }
  const verdict = JSON.parse(last) as Verdict | null
  const first = verdict?.violations[0]
  if (verdict === null || first === undefined) return { kind: 'not caught', message: `${seeds} seeds of '${bug.scenario}' ran clean` }
  return { kind: 'caught', seed: verdict.seed, rule: first.rule, message: first.message }
}

function ended(args: readonly string[]): Promise<{ readonly code: number | null; readonly output: string; readonly errors: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const output: Buffer[] = []
    const errors: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output: Buffer.concat(output).toString(), errors: Buffer.concat(errors).toString() }))
  })
}
