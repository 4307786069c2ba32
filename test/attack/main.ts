// pnpm test:attack [--long] [--only TEXT] [--seed N [--from N] [--requests N]] [--record]: every attack of the suite, one after another, with an ordinary client beside it.
// The quick form asserts counts and memory, never time. The long form has the sizes of the goals; --record writes its figures to docs/evidence.md. Needs a build (`pnpm build`).
import { existsSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { errorText } from '../../packages/agent/src/native-error.ts'
import { runProgram } from '../../packages/sim/src/program.ts'
import { builtMain, repository, temporaryFolder } from '../e2e/testing/server.ts'
import { type Attack, type Effort, openTarget, type Scene, type Target } from './attack.ts'
import { damagedRecords, illBatches } from './cases/bad-records.ts'
import { pipelinedRequests, silentHttpConnections, stalledRequests, tooManyConnections } from './cases/connections.ts'
import { largeRequests } from './cases/large-requests.ts'
import { decompression, unreadFetches, unreadHttpAnswers } from './cases/unread-answers.ts'
import { fuzz } from './fuzz/fuzz.ts'
import { type OrdinaryClient, ordinaryClient, watch } from './observer.ts'
import { describe, type Figures, isAboveGoal, record } from './report.ts'

/** H11, a second agent, is in test/e2e/command.test.ts: it needs PostgreSQL. */
const scenes: readonly Scene[] = [
  damagedRecords,
  unreadHttpAnswers,
  decompression,
  stalledRequests,
  unreadFetches,
  largeRequests,
  illBatches,
  tooManyConnections,
  pipelinedRequests,
  silentHttpConnections,
  fuzz,
]

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    requests: { type: 'string' },
    record: { type: 'boolean', default: false },
  },
})
const effort: Effort = values.long
  ? { form: 'long', rounds: 5, wideTopics: 5_000, names: 100_000, pipelined: 10_000, fuzz: fuzzOf(36_000) }
  : { form: 'quick', rounds: 2, wideTopics: 500, names: 10_000, pipelined: 5_000, fuzz: fuzzOf(4_000) }
/** The resident memory may be this many times the limits of all parts, and the memory of the idle server. */
const memoryFactor = 1.3
const calmMs = values.long ? 4_000 : 700

if (!existsSync(builtMain)) throw new Error('the server is not built: run pnpm build first')
const figures: Figures[] = []
for (const scene of scenes) if (values.long || scene.longOnly !== true) await play(scene)
const failed = figures.filter(({ problems }) => problems.length > 0)
if (values.long) {
  const above = figures.filter(isAboveGoal)
  console.log(`others' p99 is above the goal in ${above.length} of ${figures.length}${above.map(({ name }) => `\n  ${name}`).join('')}`)
}
console.log(`${figures.length - failed.length} passed, ${failed.length} failed`)
if (values.record) await writeLedger()
process.exitCode = failed.length > 0 || figures.length === 0 ? 1 : 0

async function play(scene: Scene): Promise<void> {
  await using folder = await temporaryFolder()
  await scene.before?.(folder.path)
  await using measured = await temporaryFolder()
  await using target = await openTarget(scene.server?.(folder.path) ?? {}, measured.path)
  const attacks = (await scene.prepare(target, effort)).filter(({ name }) => name.includes(values.only))
  if (attacks.length === 0) return
  await using client = await ordinaryClient(target)
  for (const attack of attacks) {
    const result = await suffer(attack, target, client)
    figures.push(result)
    console.log(describe(result))
  }
}

async function suffer({ name, logLines, growthMiB, run }: Attack, target: Target, client: OrdinaryClient): Promise<Figures> {
  await client.seen()
  await delay(calmMs)
  const without = await client.seen()
  const before = { lines: target.logLines().length, residentMiB: target.residentMiB(), defects: await target.metric('lks_defects_total') }
  const watched = watch(target)
  const began = performance.now()
  const problems: string[] = []
  try {
    await run(target)
  } catch (error) {
    problems.push(errorText(error))
  }
  const tookMs = performance.now() - began
  const during = await client.seen()
  const { residentMiB, limitMiB, longestTurnMs, overLimit } = await watched()
  const lines = target.logLines().slice(before.lines)
  const grown = residentMiB - before.residentMiB
  const defects = ((await target.metric('lks_defects_total')) ?? 0) - (before.defects ?? 0)
  if (defects > 0) problems.push(`${defects} defects`)
  if (during.failures.length > 0) problems.push(`the ordinary client: ${during.failures.slice(0, 3).join('; ')}`)
  if (lines.length > logLines)
    problems.push(`${lines.length} log lines, and at most ${logLines} are right:\n${lines.slice(0, 5).join('\n')}`)
  if (grown > growthMiB) problems.push(`the server grew by ${grown.toFixed(0)} MiB, and at most ${growthMiB} are right`)
  const mostMiB = memoryFactor * limitMiB + target.idleMiB
  if (residentMiB > mostMiB) problems.push(`the server had ${residentMiB.toFixed(0)} MiB, and at most ${mostMiB.toFixed(0)} are right`)
  for (const [part, used] of overLimit) problems.push(`the memory of ${part} exceeded its limit: ${used} bytes`)
  return { name, without, during, tookMs, longestTurnMs, residentMiB, growthMiB: grown, logLines: lines.length, problems }
}

async function writeLedger(): Promise<void> {
  const { stdout } = await runProgram('git', ['describe', '--always', '--dirty'], { cwd: repository })
  const load = (loadavg()[0] ?? 0).toFixed(1)
  const run = { date: new Date().toISOString().slice(0, 10), commit: stdout.trim(), load, form: effort.form }
  record(join(repository, 'docs/evidence.md'), figures, run)
}

function fuzzOf(requests: number): Effort['fuzz'] {
  return {
    seed: wholeOf('--seed', values.seed),
    from: wholeOf('--from', values.from),
    requests: values.requests === undefined ? requests : wholeOf('--requests', values.requests),
  }
}

function wholeOf(flag: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${flag}: '${text}' is not valid: use an integer from 0 on`)
  return value
}
