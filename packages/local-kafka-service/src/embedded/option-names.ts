// Names of options that a test hands in: one that is not known is refused, for a typing error that is ignored is a test of something else.
import { didYouMean } from '../did-you-mean.ts'
import { UserError } from '../user-error.ts'
import type { ReadyOptions, SeekOptions } from './group.ts'
import type { ForkOptions, WaitOptions } from './kafka.ts'
import type { AdvanceOptions } from './kafka-clock.ts'
import type { RecordsQuery } from './record.ts'
import type { StartKafkaOptions, TopicSpec } from './start-options.ts'

/** What takes options, with their types. */
interface Takers {
  readonly startKafka: StartKafkaOptions
  readonly 'http of startKafka': Exclude<StartKafkaOptions['http'], boolean | undefined>
  readonly 'a topic': TopicSpec
  readonly records: RecordsQuery
  readonly waitFor: WaitOptions
  readonly ready: ReadyOptions
  readonly caughtUp: WaitOptions
  readonly seek: SeekOptions
  readonly fork: ForkOptions
  readonly clock: AdvanceOptions
}

/** The compiler keeps it complete. */
const known: { readonly [Taker in keyof Takers]: Readonly<Record<keyof Takers[Taker], true>> } = {
  startKafka: {
    topics: true,
    port: true,
    hosts: true,
    dir: true,
    storage: true,
    metadata: true,
    from: true,
    takeOver: true,
    storeLatencyMs: true,
    http: true,
    settings: true,
    timeoutMs: true,
    log: true,
    onEvent: true,
    holdsProcess: true,
  },
  'http of startKafka': { controlPort: true, dataPort: true, allowedHosts: true },
  'a topic': { partitions: true, config: true },
  records: { partition: true, key: true, since: true, until: true, limit: true },
  waitFor: { timeoutMs: true },
  ready: { timeoutMs: true, fetching: true },
  caughtUp: { timeoutMs: true },
  seek: { topic: true, partitions: true },
  fork: { onEvent: true },
  clock: { sessions: true },
}

/** Throws a UserError that names the nearest. */
export function checkOptionNames(taker: keyof Takers, given: object): void {
  const names = Object.keys(known[taker])
  const wrong = Object.keys(given).find((name) => !names.includes(name))
  if (wrong === undefined) return
  throw new UserError('LKS-1004', {
    what: `${taker}: there is no option '${wrong}'${didYouMean(wrong, names)}`,
    why: `it has ${names.join(', ')}`,
    fix: ['correct the name, or leave it out'],
  })
}
