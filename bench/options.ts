// The command line of the benches: which run, how long, and which older checkout they also measure.
import { parseArgs } from 'node:util'
import { type Build, buildIn, thisBuild } from './builds.ts'

/** What each bench gets. */
export interface BenchOptions {
  /** This checkout and, if `--against` names one, an older one: one or two, measured in turn. */
  readonly builds: readonly [ours: Build, ...before: Build[]]
  /** The smallest form: it shows that a bench works, and its figures mean little. */
  readonly quick: boolean
  /** The number of rounds that `--rounds` asks for; otherwise each bench has its own. */
  readonly rounds: number | undefined
}

export interface BenchCommandLine {
  /** Empty: all of them. */
  readonly names: readonly string[]
  readonly json: boolean
  readonly help: boolean
  readonly options: BenchOptions
}

/** Throws an error that names the wrong argument. */
export function parseBenchArguments(argv: readonly string[], known: readonly string[]): BenchCommandLine {
  const { values, positionals } = parseArgs({
    args: argv.filter((argument) => argument !== '--'),
    allowPositionals: true,
    options: {
      against: { type: 'string' },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  for (const name of positionals)
    if (!known.includes(name)) throw new RangeError(`'${name}' is not a bench: use some of ${known.join(' ')}`)
  return {
    names: positionals,
    json: values.json,
    help: values.help,
    options: {
      builds: values.against === undefined ? [thisBuild()] : [thisBuild(), buildIn(values.against)],
      quick: values.quick,
      rounds: values.rounds === undefined ? undefined : roundCount(values.rounds),
    },
  }
}

function roundCount(text: string): number {
  const rounds = Number(text)
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new RangeError(`--rounds: '${text}' is not valid: use an integer from 1 on`)
  return rounds
}
