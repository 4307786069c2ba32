// The simulator's command line: seeds, scenario, planted bug and output format.
import { parseArgs } from 'node:util'

export interface CommandLine {
  /** One seed, with its trace. */
  readonly seed: number | undefined
  readonly seeds: number
  readonly from: number
  readonly scenario: string | undefined
  /** Empty: all of them. */
  readonly planted: string | undefined
  /** One planted bug to play with; the first seed that fails is the last. */
  readonly bug: string | undefined
  readonly json: boolean
}

export const usage = `usage: pnpm sim [--seed N] [--seeds N [--from N]] [--scenario NAME] [--planted[=NAME] | --with-bug NAME] [--json]

  --seed N          play one seed and print its trace
  --seeds N         play N seeds (100), from --from (1) on
  --scenario NAME   one scenario instead of all in turn
  --planted[=NAME]  plant one bug, or each in turn, into the sources as they load: each must be caught within --seeds (500)
  --with-bug NAME   play with that bug planted, up to the first seed that fails
  --json            one line of JSON per seed or bug`

/** Throws a TypeError or RangeError that names the wrong argument. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  // `--planted` alone means all bugs; parseArgs does not support optional values.
  const args = argv.map((arg) => (arg === '--planted' ? '--planted=' : arg)).filter((arg) => arg !== '--')
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      from: { type: 'string' },
      scenario: { type: 'string' },
      planted: { type: 'string' },
      'with-bug': { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  return {
    seed: values.seed === undefined ? undefined : count('--seed', values.seed),
    seeds: values.seeds === undefined ? (values.planted === undefined ? 100 : 500) : count('--seeds', values.seeds),
    from: values.from === undefined ? 1 : count('--from', values.from),
    scenario: values.scenario,
    planted: values.planted,
    bug: values['with-bug'],
    json: values.json,
  }
}

function count(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name}: '${text}' is not valid: use an integer from 1 on`)
  return value
}
