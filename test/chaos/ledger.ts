// The ledger of chaos: a row of docs/evidence.md for each run.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram } from '../../packages/sim/src/program.ts'
import { repository } from '../e2e/testing/server.ts'
import type { ChaosResult } from './chaos.ts'

export interface RunDescription {
  readonly seed: number
  readonly seconds: number
  readonly load: number
  readonly target: string | undefined
}

const columns =
  '| date | commit | load | seed | seconds | disturbances | clients | sent | acknowledged | unknown | received | commits | longest pause, s | problems |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n'

/** Appends a row to the table. */
export async function recordRun(result: ChaosResult, run: RunDescription): Promise<void> {
  const path = join(repository, 'docs/evidence.md')
  const text = readFileSync(path, 'utf8')
  const table = text.indexOf(columns)
  if (table < 0) throw new Error(`${path} has no table of chaos`)
  const blank = text.indexOf('\n\n', table)
  const end = blank < 0 ? text.length : blank + 1
  const { stdout } = await runProgram('git', ['describe', '--always', '--dirty'], { cwd: repository })
  writeFileSync(path, `${text.slice(0, end)}${rowOf(result, run, stdout.trim())}\n${text.slice(end)}`)
}

function rowOf(
  { figures, disturbances, clients, problems }: ChaosResult,
  { seed, seconds, load, target }: RunDescription,
  commit: string,
): string {
  const longest = Math.max(0, ...Object.values(figures.longestPauseMs)) / 1_000
  const cells = [
    new Date().toISOString().slice(0, 10),
    target === undefined ? commit : 'Apache Kafka',
    load.toFixed(1),
    seed,
    seconds,
    disturbances,
    clients.join(', '),
    figures.sent,
    figures.acknowledged,
    figures.unknown,
    figures.polled,
    figures.commits,
    longest.toFixed(1),
    problems.length,
  ]
  return `| ${cells.join(' | ')} |`
}
