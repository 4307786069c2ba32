// The report of the attacks: one line for each on the screen, and a row for each in the ledger.
import { readFileSync, writeFileSync } from 'node:fs'
import type { Effort } from './attack.ts'
import type { Others } from './observer.ts'

export interface Figures {
  readonly name: string
  readonly without: Others
  readonly during: Others
  readonly tookMs: number
  readonly longestTurnMs: number
  readonly residentMiB: number
  readonly growthMiB: number
  readonly logLines: number
  readonly problems: readonly string[]
}

/** Others wait twice as long as without the attack, or this long where they hardly waited. */
const goalMs = 50

export function describe({ name, without, during, tookMs, longestTurnMs, residentMiB, growthMiB, logLines, problems }: Figures): string {
  const above = isAboveGoal({ without, during }) ? '  above the goal' : ''
  return [
    `${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name} (${(tookMs / 1_000).toFixed(1)} s)`,
    `       others: p50 ${ms(without.p50Ms)} → ${ms(during.p50Ms)}, p99 ${ms(without.p99Ms)} → ${ms(during.p99Ms)} ms (${ratio({ without, during })}), longest ${ms(during.worstMs)} (${during.worstKind}), ${during.count} requests${above}`,
    `       longest turn: ${ms(longestTurnMs)} ms of CPU; memory: ${residentMiB.toFixed(0)} MiB (${growthMiB >= 0 ? '+' : ''}${growthMiB.toFixed(0)}); log lines: ${logLines}`,
    ...problems.map((problem) => `       ${problem.replaceAll('\n', '\n       ')}`),
  ].join('\n')
}

export function isAboveGoal({ without, during }: Pick<Figures, 'without' | 'during'>): boolean {
  return during.p99Ms > Math.max(goalMs, 2 * without.p99Ms)
}

const heading = '## Attacks'
const columns =
  '| date | commit | load | attack | p50, ms | p99, ms | ratio | longest, ms | longest turn, CPU ms | memory, MiB | log lines |\n|---|---|---|---|---|---|---|---|---|---|---|\n'

/** Appends one row per attack to the table of the ledger. */
export function record(
  path: string,
  figures: readonly Figures[],
  run: { readonly date: string; readonly commit: string; readonly load: string; readonly form: Effort['form'] },
): void {
  const rows = figures.map(({ name, without, during, longestTurnMs, residentMiB, growthMiB, logLines }) =>
    [
      '',
      run.date,
      run.commit,
      run.load,
      run.form === 'long' ? name : `${name} (quick form)`,
      `${ms(without.p50Ms)} → ${ms(during.p50Ms)}`,
      `${ms(without.p99Ms)} → ${ms(during.p99Ms)}`,
      ratio({ without, during }),
      ms(during.worstMs),
      ms(longestTurnMs),
      `${residentMiB.toFixed(0)} (+${Math.max(0, growthMiB).toFixed(0)})`,
      logLines,
      '',
    ]
      .join(' | ')
      .trim(),
  )
  const text = readFileSync(path, 'utf8')
  const table = text.indexOf(columns, text.indexOf(heading))
  if (table < 0) throw new Error(`${path} has no table of attacks`)
  // A table ends at the first empty line, or with the file.
  const blank = text.indexOf('\n\n', table)
  const end = blank < 0 ? text.length : blank + 1
  writeFileSync(path, `${text.slice(0, end)}${rows.join('\n')}\n${text.slice(end)}`)
}

function ratio({ without, during }: Pick<Figures, 'without' | 'during'>): string {
  return `${(during.p99Ms / without.p99Ms).toFixed(1)} ×`
}

function ms(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0)
}
