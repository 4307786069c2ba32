// Names of options that a test passes: an unknown one is rejected, because an ignored typing error would test something else.
import { didYouMean } from '../did-you-mean.ts'
import { UserError } from '../user-error.ts'
import type { ReadyOptions, SeekOptions } from './group.ts'
import type { ForkOptions } from './kafka.ts'
import type { AdvanceOptions } from './kafka-clock.ts'
import type { RecordsQuery } from './record.ts'
import type { StartKafkaOptions } from './start-options.ts'
import type { TopicSpec } from './topic-spec.ts'
import type { WaitOptions } from './wait-options.ts'

/** The calls that take options, with their types. */
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

/** Throws a UserError that suggests the nearest name. */
export function checkOptionNames(taker: keyof Takers, given: object): void {
  const names = Object.keys(known[taker])
  const wrong = Object.keys(given).find((name) => !names.includes(name))
  if (wrong === undefined) return
  throw new UserError('LKS-1004', {
    what: `${taker}: '${wrong}' is not a known option${didYouMean(wrong, names)}`,
    why: `the options are ${names.join(', ')}`,
    fix: ['correct the name, or remove it'],
  })
}
