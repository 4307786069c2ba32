// pnpm chaos [--seconds N] [--seed S] [--seeds COUNT] [--hosts one|several] [--target HOST:PORT] [--record] [--keep]: clients of several libraries work on three agents while processes are killed
// and paused, and connections, S3 and PostgreSQL fail; then the history is checked and the database audited. LKS_TEST_S3 names an S3 server of others. Needs a build.
// With --hosts several each agent has a network namespace of its own, whose cable can be pulled; this needs Linux and root.
// pnpm chaos --plan moves|kills|pauses|cables [--turns N] instead does one thing to each agent in turn, and prints how long clients with their default settings waited.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { endProgram, startProgram } from '../../packages/sim/src/program.ts'
import { builtMain } from '../e2e/testing/server.ts'
import { type ChaosResult, runChaos } from './chaos.ts'
import { canHaveHosts, ownNetwork } from './hosts.ts'
import { recordRun } from './ledger.ts'
import { enterPassage, openPassage } from './passage.ts'
import { describePauses } from './pause-table.ts'
import { pausesOf } from './pauses.ts'
import { type PlanName, planNames, planOf } from './plans.ts'
import type { HostsOfRun } from './schedule.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    target: { type: 'string' },
    plan: { type: 'string' },
    hosts: { type: 'string', default: 'one' },
    turns: { type: 'string', default: '3' },
    record: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
  },
})
const seconds = wholeOf('--seconds', values.seconds)
const first = values.seed === undefined ? Date.now() % 1_000_000 : wholeOf('--seed', values.seed)
const plan = values.plan === undefined ? undefined : planOf(planNameOf(values.plan), wholeOf('--turns', values.turns))
const hosts = hostsOf(values.hosts)
const outerS3Url = process.env['LKS_TEST_S3'] ?? ''

if (values.target === undefined && !existsSync(builtMain)) throw new Error('the server is not built: run pnpm build first')
if (hosts === 'several' && process.env['LKS_CHAOS_NETWORK'] === undefined) await endProgram(await inOwnNetwork())
await using stack = new AsyncDisposableStack()
const s3Url = await reachableS3Url()
if (values.plan === 'cables' && hosts === 'one') throw new RangeError('--plan cables needs --hosts several')
let failed = 0
const count = wholeOf('--seeds', values.seeds)
for (let seed = first; seed < first + count; seed += 1) {
  console.log(plan === undefined ? `seed ${seed}, ${seconds} s` : plan.what)
  const say = values.quiet ? () => {} : (text: string) => console.log(`  ${text}`)
  const result = await runChaos({ seed, seconds, s3Url, hosts, plan, say, ...(values.target !== undefined && { target: values.target }) })
  console.log(describe(result))
  for (const counts of plan?.counts ?? []) console.log(describePauses(pausesOf(result.history, result.clients, counts), counts))
  if (result.problems.length > 0) failed += 1
  if (result.problems.length > 0 || values.keep) {
    console.log(`history and logs: ${keep(seed, result)}\nagain: pnpm chaos --hosts ${hosts} --seconds ${seconds} --seed ${seed}`)
  }
  if (values.record) await recordRun(result, { seed, seconds, load: loadavg()[0] ?? 0, target: values.target })
}
console.log(`${count - failed} passed, ${failed} failed`)
// A client library may keep the event loop alive.
await endProgram(failed > 0 ? 1 : 0)

function describe({ problems, figures, disturbances, clients }: ChaosResult): string {
  const pauses = Object.entries(figures.longestPauseMs).map(([process, ms]) => `${process} ${(ms / 1_000).toFixed(1)} s`)
  return [
    `${problems.length === 0 ? 'ok  ' : 'FAIL'} ${disturbances} disturbances; ${clients.join(', ')}: ${figures.sent} sent, ${figures.acknowledged} acknowledged, ${figures.unknown} unknown, ${figures.polled} received, ${figures.commits} commits`,
    `     longest time without an acknowledgement: ${pauses.join(', ')}`,
    ...(figures.resent > 0
      ? [`     ${figures.resent} records are stored twice, because their client sent them again under another producer id or epoch`]
      : []),
    ...problems.slice(0, 40).map((problem) => `     ${problem.replaceAll('\n', '\n     ')}`),
  ].join('\n')
}

function hostsOf(text: string): HostsOfRun {
  if (text !== 'one' && text !== 'several') throw new RangeError(`--hosts: '${text}' is not valid: use one or several`)
  return text
}

/** The exit code of this run in a network of its own. */
async function inOwnNetwork(): Promise<number> {
  if (!canHaveHosts()) throw new Error('--hosts several needs Linux, root, and the commands unshare, nsenter and ip')
  await using outside = new AsyncDisposableStack()
  const passage = outerS3Url === '' ? undefined : outside.use(await openPassage(outerS3Url))
  const [program = '', ...words] = [...ownNetwork, process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const env = { ...process.env, LKS_CHAOS_NETWORK: 'own', LKS_CHAOS_PASSAGE: passage?.path }
  const running = startProgram(program, words, { env, onLine: (line) => console.log(line) })
  running.endInput()
  const { code, stderr } = await running.ended
  process.stderr.write(stderr)
  return code ?? 1
}

/** In a network of its own, the addresses outside do not exist. */
async function reachableS3Url(): Promise<string> {
  const passage = process.env['LKS_CHAOS_PASSAGE']
  return passage === undefined ? outerS3Url : stack.use(await enterPassage(outerS3Url, passage)).url
}

function planNameOf(text: string): PlanName {
  const name = planNames.find((one) => one === text)
  if (name === undefined) throw new RangeError(`--plan: '${text}' is not valid: use ${planNames.join(', ')}`)
  return name
}

/** The folder of what is kept. */
function keep(seed: number, { history, logs }: ChaosResult): string {
  const folder = join(tmpdir(), `lks-chaos-${seed}-${Date.now()}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'history.jsonl'), history.map((line) => `${JSON.stringify(line)}\n`).join(''))
  for (const [name, log] of logs) writeFileSync(join(folder, `${name}.log`), log)
  return folder
}

function wholeOf(flag: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${flag}: '${text}' is not valid: use an integer from 0 on`)
  return value
}
