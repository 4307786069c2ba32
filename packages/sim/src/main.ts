// The simulator's command: plays seeds, prints failures with the seed that replays them, and proves with planted bugs that it detects failures.
import { errorStack } from '@local-kafka-service/agent/native-error' // not the index: a planted bug must be in place before the agent loads
import { type CommandLine, parseCommandLine, usage } from './command-line.ts'
import { plant } from './plant.ts'
import type { PlantedBug } from './planted-bug.ts'
import { plantedBugs } from './planted-bugs.ts'
import { huntOne } from './planted-hunt.ts'
import type { Scenario, SeedResult } from './scenario.ts'

const uncaughtErrors: string[] = []
process.on('unhandledRejection', (error) => uncaughtErrors.push(errorStack(error)))
process.on('uncaughtException', (error) => uncaughtErrors.push(error.stack ?? error.message))

try {
  const command = parseCommandLine(process.argv.slice(2))
  process.exitCode = await run(command)
} catch (error) {
  if (!(error instanceof RangeError) && !(error instanceof TypeError)) throw error
  console.error(`${error.message}\n\n${usage}`)
  process.exitCode = 2
}

async function run(command: CommandLine): Promise<number> {
  if (command.planted !== undefined) return await hunt(command, command.planted)
  const player = await playerOf(command)
  if (command.seed !== undefined) return await playLoudly(command, player, command.seed)
  let passed = 0
  let failed = 0
  for (let seed = command.from; seed < command.from + command.seeds; seed += 1) {
    const result = withUncaughtErrors(await player(seed))
    const good = result.violations.length === 0
    if (good) passed += 1
    else failed += 1
    if (command.json) console.log(JSON.stringify(result))
    else if (!good) console.log(describe(result))
    if (!good && command.bug !== undefined) break
  }
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

type Player = (seed: number, onLine?: (line: string) => void) => Promise<SeedResult>

/** Loads the agent's sources only here, after a bug was planted in them. */
async function playerOf({ bug, scenario }: CommandLine): Promise<Player> {
  const planted = bug === undefined ? undefined : plant(bugCalled(bug))
  const [{ play }, { scenarioOf, scenarios }] = await Promise.all([import('./scenario.ts'), import('./scenarios/index.ts')])
  planted?.complete()
  const fixed = scenario === undefined ? undefined : called(scenarios, scenario)
  return (seed, onLine) => play(fixed ?? scenarioOf(seed), seed, onLine)
}

async function playLoudly(command: CommandLine, player: Player, seed: number): Promise<number> {
  const result = withUncaughtErrors(await player(seed, command.json ? undefined : (line) => console.log(line)))
  console.log(command.json ? JSON.stringify(result) : describe(result))
  const good = result.violations.length === 0
  console.log(good ? '1 passed, 0 failed' : '0 passed, 1 failed')
  return good ? 0 : 1
}

async function hunt(command: CommandLine, name: string): Promise<number> {
  const bugs = name === '' ? plantedBugs : [bugCalled(name)]
  let passed = 0
  for (const bug of bugs) {
    const caught = await huntOne(bug, { seeds: command.seeds, node: process.execArgv })
    if (caught.kind === 'caught') passed += 1
    if (command.json) console.log(JSON.stringify({ bug: bug.name, scenario: bug.scenario, ...caught }))
    else if (caught.kind === 'caught') console.log(`caught: ${bug.name}: seed ${caught.seed} of '${bug.scenario}': ${caught.rule}`)
    else console.log(`NOT CAUGHT: ${bug.name}: ${caught.message}`)
  }
  console.log(`${passed} passed, ${bugs.length - passed} failed`)
  return passed === bugs.length ? 0 : 1
}

function bugCalled(name: string): PlantedBug {
  const bug = plantedBugs.find((row) => row.name === name)
  if (bug === undefined) throw new RangeError(`'${name}' is not a planted bug: use one of ${plantedBugs.map((row) => row.name).join(', ')}`)
  return bug
}

function called(scenarios: readonly Scenario[], name: string): Scenario {
  const scenario = scenarios.find((row) => row.name === name)
  if (scenario === undefined) throw new RangeError(`'${name}' is not a scenario: use one of ${scenarios.map((row) => row.name).join(', ')}`)
  return scenario
}

/** An unhandled rejection, or a callback that threw, is a defect of the code that was running. */
function withUncaughtErrors(result: SeedResult): SeedResult {
  const found = uncaughtErrors
    .splice(0)
    .map((message) => ({ rule: 'no defect' as const, message: `uncaught: ${message}`, atMs: result.virtualMs }))
  return { ...result, violations: [...result.violations, ...found] }
}

function describe(result: SeedResult): string {
  const { scenario, seed, violations, digest, virtualMs, commits, acknowledged, appended } = result
  const what = `seed ${seed}, '${scenario}': ${commits} commits, ${appended} records, ${acknowledged} acknowledged in ${(virtualMs / 1000).toFixed(1)} virtual s, trace ${digest}`
  if (violations.length === 0) return `passed: ${what}`
  const lines = violations.map(({ rule, message, atMs }) => `  at ${atMs.toFixed(3)} ms, ${rule}: ${message}`)
  return [`FAILED: ${what}`, ...lines, `  replay: pnpm sim --seed ${seed} --scenario '${scenario}'`].join('\n')
}
