// The settings of an agent. Flags, help, LKS_… names, docs and DescribeConfigs are derived from the table; the configs of topics are in core/config/.
// It is longer than other files because it is one thing: the table, and the checks in its rows.

export type SettingType = 'string' | 'int' | 'long' | 'boolean' | 'double' | 'list'

export interface Setting {
  /** Kafka's name where Kafka has one. */
  readonly name: string
  readonly type: SettingType
  /** In text form, as DescribeConfigs returns it. Null: not set. */
  readonly default: { readonly dev: string | null; readonly start: string | null }
  readonly unit?: 'ms' | 'bytes' | 'count' | 'per second'
  readonly doc: string
  /** The file that enforces it. */
  readonly enforcedBy: string
  readonly since: string
  readonly secret?: true
  /** DescribeConfigs returns it for a broker, too. */
  readonly kafka?: true
  /** Undefined when the value is valid; otherwise the error, in words. */
  readonly check: (value: string) => string | undefined
}

const both = (value: string | null): Setting['default'] => ({ dev: value, start: value })

export const agentSettings = [
  {
    name: 'cluster.id',
    type: 'string',
    default: both(null),
    doc: 'The cluster to serve. Default: the only cluster in the database, or a new one.',
    enforcedBy: 'metadata/open.ts',
    since: '0.1',
    check: optional(uuid),
  },
  {
    name: 'agent.name',
    type: 'string',
    default: both('agent-1'),
    doc: 'The stable name of this agent. With PostgreSQL the default is the name of the machine.',
    enforcedBy: 'membership.ts',
    since: '0.1',
    check: notEmpty,
  },
  {
    name: 'broker.rack',
    type: 'string',
    default: both(null),
    doc: 'The zone of this agent. Consumers whose client.rack is another zone are sent to an agent of theirs, if there is one.',
    enforcedBy: 'core/read-replicas.ts',
    since: '0.1',
    kafka: true,
    check: notEmpty,
  },
  {
    name: 'durability',
    type: 'string',
    default: { dev: 'os', start: 'strict' },
    doc: 'What acknowledged records survive: strict (power loss), os (kill -9), memory (nothing).',
    enforcedBy: 'parts.ts',
    since: '0.1',
    check: oneOf('strict', 'os', 'memory'),
  },
  {
    name: 'flush.bytes',
    type: 'int',
    default: both('8388608'),
    unit: 'bytes',
    doc: 'A flush is sealed when it reaches this size.',
    enforcedBy: 'write/writer.ts',
    since: '0.1',
    check: integer(1_024, 268_435_456),
  },
  {
    name: 'flush.linger.ms',
    type: 'int',
    default: both('250'),
    unit: 'ms',
    doc: 'The latest age at which a flush is sealed, if the budget of PUTs allows it. An idle agent seals at once.',
    enforcedBy: 'write/seal-rules.ts',
    since: '0.1',
    check: integer(0, 60_000),
  },
  {
    name: 'flush.puts.per.second',
    type: 'double',
    default: both('4'),
    unit: 'per second',
    doc: 'The budget of PUTs to S3; a burst may have as many again. A directory and memory have no budget.',
    enforcedBy: 'write/seal-rules.ts',
    since: '0.1',
    check: decimal(0.1, 1_000),
  },
  {
    name: 'flush.puts.per.second.max',
    type: 'double',
    default: both('20'),
    unit: 'per second',
    doc: 'The ceiling of PUTs while producers wait in a closed loop: they send nothing more before they are answered, so a flush does not wait for the budget. A value that is not above flush.puts.per.second turns this off.',
    enforcedBy: 'write/seal-rules.ts',
    since: '0.1',
    check: decimal(0, 1_000),
  },
  {
    name: 'store.price.per.1000.puts',
    type: 'double',
    default: both('0.005'),
    doc: 'The price of 1,000 PUT or LIST requests to S3, in dollars, for the metrics and the first screen. Default: S3 Standard in us-east-1. With 0 for both prices, no cost is shown.',
    enforcedBy: 'store-prices.ts',
    since: '0.1',
    check: decimal(0, 1_000),
  },
  {
    name: 'store.price.per.1000.gets',
    type: 'double',
    default: both('0.0004'),
    doc: 'The price of 1,000 GET requests to S3, in dollars, for the metrics. Default: S3 Standard in us-east-1.',
    enforcedBy: 'store-prices.ts',
    since: '0.1',
    check: decimal(0, 1_000),
  },
  {
    name: 'memory.bytes',
    type: 'long',
    default: both(null),
    unit: 'bytes',
    doc: "All memory that clients can make the agent hold: requests, fetch sessions, records that are not committed or are unpacked, responses, the ends of partitions, members of groups, memory that is kept to be used again, and the cache, which has at most half of it. Default: cache.bytes and 856 MiB, or half of the machine's memory if that is less.",
    enforcedBy: 'memory/memory-plan.ts',
    since: '0.1',
    check: optional(integer(67_108_864, Number.MAX_SAFE_INTEGER)),
  },
  {
    name: 'cache.bytes',
    type: 'long',
    default: { dev: '67108864', start: '536870912' },
    unit: 'bytes',
    doc: 'Memory for object bytes that were recently written or read.',
    enforcedBy: 'objects/wrappers/cached.ts',
    since: '0.1',
    check: integer(0, Number.MAX_SAFE_INTEGER),
  },
  {
    name: 'num.partitions',
    type: 'int',
    default: both('1'),
    unit: 'count',
    doc: 'The partitions of a topic that a Kafka client creates without a count. POST /topics uses http.num.partitions.',
    enforcedBy: 'operations/topics.ts',
    since: '0.1',
    kafka: true,
    check: integer(1, 100_000),
  },
  {
    name: 'http.num.partitions',
    type: 'int',
    default: both('100'),
    unit: 'count',
    doc: 'The partitions of a topic that POST /topics creates without a count.',
    enforcedBy: 'http/topics.ts',
    since: '0.1',
    check: integer(1, 100_000),
  },
  {
    name: 'http.produce.max.bytes',
    type: 'int',
    default: both('1023'),
    unit: 'bytes',
    doc: 'The largest body of POST /topics/{topic}/produce/{partition}.',
    enforcedBy: 'http/produce.ts',
    since: '0.1',
    check: integer(1, 1_048_576),
  },
  {
    name: 'auto.create.topics.enable',
    type: 'boolean',
    default: { dev: 'true', start: 'false' },
    doc: 'Whether a missing topic is created when a client names it.',
    enforcedBy: 'operations/topics.ts',
    since: '0.1',
    kafka: true,
    check: boolean,
  },
  {
    name: 'message.max.bytes',
    type: 'int',
    default: both('1048588'),
    unit: 'bytes',
    doc: 'The largest record batch; the default of max.message.bytes.',
    enforcedBy: 'core/log/validate.ts',
    since: '0.1',
    kafka: true,
    check: integer(0, 104_857_600),
  },
  {
    name: 'log.message.timestamp.type',
    type: 'string',
    default: both('CreateTime'),
    doc: 'The default of message.timestamp.type.',
    enforcedBy: 'core/log/validate.ts',
    since: '0.1',
    kafka: true,
    check: oneOf('CreateTime', 'LogAppendTime'),
  },
  {
    name: 'log.message.timestamp.before.max.ms',
    type: 'long',
    default: both('9223372036854775807'),
    unit: 'ms',
    doc: 'The default of message.timestamp.before.max.ms.',
    enforcedBy: 'core/log/validate.ts',
    since: '0.1',
    kafka: true,
    check: long(0n),
  },
  {
    name: 'log.message.timestamp.after.max.ms',
    type: 'long',
    default: both('3600000'),
    unit: 'ms',
    doc: 'The default of message.timestamp.after.max.ms.',
    enforcedBy: 'core/log/validate.ts',
    since: '0.1',
    kafka: true,
    check: long(0n),
  },
  {
    name: 'validate.compressed.batches',
    type: 'boolean',
    default: { dev: 'true', start: 'false' },
    doc: 'Whether every produced batch is decompressed to check its records, as in Kafka. This costs several times the CPU of the rest of a produce. Otherwise only batches with a suspicious header are decompressed.',
    enforcedBy: 'core/log/validate.ts',
    since: '0.1',
    check: boolean,
  },
  {
    name: 'producer.id.expiration.ms',
    type: 'int',
    default: both('86400000'),
    unit: 'ms',
    doc: 'How long a silent idempotent producer is remembered.',
    enforcedBy: 'metadata/commit.ts',
    since: '0.1',
    kafka: true,
    check: integer(1, 2_147_483_647),
  },
  {
    name: 'transaction.max.timeout.ms',
    type: 'int',
    default: both('900000'),
    unit: 'ms',
    doc: 'The largest transaction.timeout.ms that a producer may have.',
    enforcedBy: 'api/init-producer-id.ts',
    since: '0.1',
    kafka: true,
    check: integer(1, 2_147_483_647),
  },
  {
    name: 'transaction.abort.timed.out.transaction.cleanup.interval.ms',
    type: 'int',
    default: both('10000'),
    unit: 'ms',
    doc: 'How often transactions are aborted that have been open for longer than their transaction.timeout.ms.',
    enforcedBy: 'upkeep/transaction-timeouts.ts',
    since: '0.1',
    kafka: true,
    check: integer(1, 2_147_483_647),
  },
  {
    name: 'transactional.id.expiration.ms',
    type: 'int',
    default: both('604800000'),
    unit: 'ms',
    doc: 'How long a transactional id without an open transaction is remembered after its last change.',
    enforcedBy: 'upkeep/transaction-timeouts.ts',
    since: '0.1',
    kafka: true,
    check: integer(1, 2_147_483_647),
  },
  {
    name: 'transaction.remove.expired.transaction.cleanup.interval.ms',
    type: 'int',
    default: both('3600000'),
    unit: 'ms',
    doc: 'How often transactional ids are removed that are older than transactional.id.expiration.ms.',
    enforcedBy: 'upkeep/transaction-timeouts.ts',
    since: '0.1',
    kafka: true,
    check: integer(1, 2_147_483_647),
  },
  {
    name: 'group.initial.rebalance.delay.ms',
    type: 'int',
    default: { dev: '0', start: '3000' },
    unit: 'ms',
    doc: 'How long the first rebalance of an empty group waits for more members.',
    enforcedBy: 'core/group/rebalance.ts',
    since: '0.1',
    kafka: true,
    check: integer(0, 2_147_483_647),
  },
  {
    name: 'group.min.session.timeout.ms',
    type: 'int',
    default: { dev: '100', start: '6000' },
    unit: 'ms',
    doc: 'The shortest session time-out that a member may request.',
    enforcedBy: 'core/group/join-group.ts',
    since: '0.1',
    kafka: true,
    check: integer(1, 2_147_483_647),
  },
  {
    name: 'group.max.session.timeout.ms',
    type: 'int',
    default: both('1800000'),
    unit: 'ms',
    doc: 'The longest session time-out that a member may request.',
    enforcedBy: 'core/group/join-group.ts',
    since: '0.1',
    kafka: true,
    check: integer(1, 2_147_483_647),
  },
  {
    name: 'group.max.size',
    type: 'int',
    default: both('2147483647'),
    unit: 'count',
    doc: 'The maximum number of members in a group.',
    enforcedBy: 'core/group/join-group.ts',
    since: '0.1',
    kafka: true,
    check: integer(1, 2_147_483_647),
  },
  {
    name: 'drain.redirect.ms',
    type: 'long',
    default: both('10000'),
    unit: 'ms',
    doc: 'How long an agent that stops sends its clients on to the other agents, after it has given them its slots and groups: kafkajs takes more than 20 s to find a coordinator whose old address does not answer. It ends earlier when no client is connected. An agent that is alone does not wait.',
    enforcedBy: 'lifecycle.ts',
    since: '0.1',
    check: integer(0, 20_000),
  },
  {
    name: 'group.leave.on.disconnect',
    type: 'boolean',
    default: { dev: 'true', start: 'false' },
    doc: 'Whether a member without an instance id leaves its group 2 s after its connection closes, unless it reconnects, rather than at the end of its session.',
    enforcedBy: 'core/group/leave-group.ts',
    since: '0.1',
    check: boolean,
  },
  {
    name: 'offset.metadata.max.bytes',
    type: 'int',
    default: both('4096'),
    unit: 'bytes',
    doc: 'The maximum length of the metadata of a committed offset.',
    enforcedBy: 'api/offset-commit.ts',
    since: '0.1',
    kafka: true,
    check: integer(0, 1_048_576),
  },
  {
    name: 'offsets.retention.minutes',
    type: 'int',
    default: both('10080'),
    doc: 'How many minutes a group keeps its committed offsets after its last member left. The time counts from the commit in a group that never had members, and for a topic that no member of an active group reads.',
    enforcedBy: 'coordinate/groups.ts',
    since: '0.1',
    kafka: true,
    check: integer(1, 2_147_483_647),
  },
  {
    name: 'offsets.retention.check.interval.ms',
    type: 'long',
    default: both('600000'),
    unit: 'ms',
    doc: 'How often the agent removes expired offsets, and groups with neither members nor offsets.',
    enforcedBy: 'coordinate/groups.ts',
    since: '0.1',
    kafka: true,
    check: integer(1, Number.MAX_SAFE_INTEGER),
  },
  {
    name: 'log.cleaner.backoff.ms',
    type: 'long',
    default: both('15000'),
    unit: 'ms',
    doc: 'How often log compaction looks for partitions that are dirty enough. Each partition is compacted by the agent that owns it.',
    enforcedBy: 'upkeep/compaction.ts',
    since: '0.1',
    kafka: true,
    check: integer(1, Number.MAX_SAFE_INTEGER),
  },
  {
    name: 'storage.scrub.interval.ms',
    type: 'long',
    default: both('2592000000'),
    unit: 'ms',
    doc: 'How often all stored objects are read to find damage, slowly and in the background. 0 or -1: never. A pass continues after a restart.',
    enforcedBy: 'upkeep/scrubber.ts',
    since: '0.1',
    check: integer(-1, Number.MAX_SAFE_INTEGER),
  },
  {
    name: 'http.idempotency.key.expiration.ms',
    type: 'long',
    default: both('604800000'),
    unit: 'ms',
    doc: 'How long the Idempotency-Key of a produce over HTTP is remembered, at least. A later request with the key is stored again.',
    enforcedBy: 'upkeep/expiry.ts',
    since: '0.1',
    check: integer(60_000, Number.MAX_SAFE_INTEGER),
  },
  {
    name: 'storage.sweep.interval.ms',
    type: 'long',
    default: { dev: '3600000', start: '86400000' },
    unit: 'ms',
    doc: 'How often the object store is listed for objects that no commit has named, such as those of a crash, to remove them. On S3 a list of 1,000 objects is a request. 0 or -1: only on request.',
    enforcedBy: 'upkeep/orphan-sweep.ts',
    since: '0.1',
    check: integer(-1, Number.MAX_SAFE_INTEGER),
  },
  {
    name: 'storage.merge.interval.ms',
    type: 'long',
    default: both('30000'),
    unit: 'ms',
    doc: 'How often the agent looks for small objects and segments to merge into larger ones. 0 or -1: never.',
    enforcedBy: 'upkeep/merge.ts',
    since: '0.1',
    check: integer(-1, Number.MAX_SAFE_INTEGER),
  },
  {
    name: 'storage.merge.max.age.ms',
    type: 'long',
    default: both('600000'),
    unit: 'ms',
    doc: 'How long small objects wait for others to be merged with. Then they are merged, however few they are.',
    enforcedBy: 'upkeep/merge.ts',
    since: '0.1',
    check: integer(0, Number.MAX_SAFE_INTEGER),
  },
  {
    name: 'log.retention.ms',
    type: 'long',
    default: { dev: '-1', start: '604800000' },
    unit: 'ms',
    doc: 'The age at which records are removed from topics that have no retention.ms of their own; -1 keeps them. `lks dev` and startKafka() keep them.',
    enforcedBy: 'upkeep/log-retention.ts',
    since: '0.1',
    kafka: true,
    check: integer(-1, Number.MAX_SAFE_INTEGER),
  },
  {
    name: 'log.retention.bytes',
    type: 'long',
    default: both('-1'),
    unit: 'bytes',
    doc: 'The size of a partition above which its oldest records are removed, for topics that have no retention.bytes of their own; -1: no bound.',
    enforcedBy: 'upkeep/log-retention.ts',
    since: '0.1',
    kafka: true,
    check: integer(-1, Number.MAX_SAFE_INTEGER),
  },
  {
    name: 'log.retention.check.interval.ms',
    type: 'long',
    default: both('300000'),
    unit: 'ms',
    doc: 'How often the agent looks for records to remove.',
    enforcedBy: 'upkeep/log-retention.ts',
    since: '0.1',
    kafka: true,
    check: integer(1, Number.MAX_SAFE_INTEGER),
  },
  {
    name: 'topic.undelete.ms',
    type: 'long',
    default: both('86400000'),
    unit: 'ms',
    doc: 'How long a deleted topic can be brought back with its records. After that its data is purged.',
    enforcedBy: 'upkeep/topic-purge.ts',
    since: '0.1',
    check: integer(0, Number.MAX_SAFE_INTEGER),
  },
  {
    name: 'max.incremental.fetch.session.cache.slots',
    type: 'int',
    default: both('1000'),
    unit: 'count',
    doc: 'The maximum number of fetch sessions; further clients send full fetches.',
    enforcedBy: 'read/sessions.ts',
    since: '0.1',
    kafka: true,
    check: integer(0, 100_000),
  },
  {
    name: 'connections.max.idle.ms',
    type: 'long',
    default: both('600000'),
    unit: 'ms',
    doc: 'A connection without a request for this long is closed.',
    enforcedBy: 'net/connection.ts',
    since: '0.1',
    kafka: true,
    check: integer(1_000, Number.MAX_SAFE_INTEGER),
  },
  {
    name: 'max.connections',
    type: 'int',
    default: both('10000'),
    unit: 'count',
    doc: 'The maximum number of Kafka connections. A new connection replaces one that has never sent a request, otherwise the one that has been idle the longest; if there is neither, it is closed.',
    enforcedBy: 'net/connection-quotas.ts',
    since: '0.1',
    kafka: true,
    check: integer(1, 1_000_000),
  },
  {
    name: 'max.connections.per.ip',
    type: 'int',
    default: both('2147483647'),
    unit: 'count',
    doc: 'The maximum number of connections from one address, for the Kafka port and for each HTTP port; further ones are closed.',
    enforcedBy: 'net/connection-quotas.ts',
    since: '0.1',
    kafka: true,
    check: integer(0, 2_147_483_647),
  },
] as const satisfies readonly Setting[]

export type AgentSettingName = (typeof agentSettings)[number]['name']
export type SettingSource = 'flag' | 'environment' | 'file' | 'default'

/** The values of an agent's settings, as text, each with its source; the functions below read them with their types. */
export interface Settings {
  /** The command whose defaults count. */
  readonly mode: 'dev' | 'start'
  readonly values: ReadonlyMap<AgentSettingName, { readonly value: string | null; readonly source: SettingSource }>
  /**
   * The values of a broker config that were set at run time, in order of precedence, all before the one in `values`. Most provide the defaults of topics'
   * configs (write/topic-config.ts). Only the settings of a running agent have it. A DynamicValue of core/config/broker-configs.ts says what they mean.
   */
  readonly dynamic?: (name: string) => readonly {
    readonly source: 'DYNAMIC_BROKER_CONFIG' | 'DYNAMIC_DEFAULT_BROKER_CONFIG'
    readonly value: string
    readonly given: string
  }[]
}

/** Throws a RangeError that names the setting and the error in its value. */
export function settings(
  mode: 'dev' | 'start',
  given: Partial<Record<AgentSettingName, { readonly value: string; readonly source: SettingSource }>> = {},
): Settings {
  const values = new Map<AgentSettingName, { readonly value: string | null; readonly source: SettingSource }>()
  for (const setting of agentSettings) {
    const own = given[setting.name]
    const wrong = own && setting.check(own.value)
    if (wrong !== undefined) throw new RangeError(`${setting.name}: ${wrong}`)
    values.set(setting.name, own ?? { value: setting.default[mode], source: 'default' })
  }
  return { mode, values }
}

/** The value that counts now, which may change while the agent runs: core/config/broker-configs.ts has the names. */
export function text(of: Settings, name: AgentSettingName): string | undefined {
  return of.dynamic?.(name)[0]?.value ?? of.values.get(name)?.value ?? undefined
}

/** For settings that always have a value. */
export function number(of: Settings, name: AgentSettingName): number {
  const value = text(of, name)
  if (value === undefined) throw new RangeError(`${name} has no value`)
  return Number(value)
}

export function flag(of: Settings, name: AgentSettingName): boolean {
  return text(of, name) === 'true'
}

function integer(min: number, max: number): (value: string) => string | undefined {
  return (value) =>
    /^-?\d+$/.test(value) && Number(value) >= min && Number(value) <= max ? undefined : `must be a whole number from ${min} to ${max}`
}
function long(min: bigint): (value: string) => string | undefined {
  return (value) =>
    /^-?\d{1,19}$/.test(value) && BigInt(value) >= min && BigInt(value) <= 9223372036854775807n
      ? undefined
      : `must be a whole number of at least ${min}`
}
function decimal(min: number, max: number): (value: string) => string | undefined {
  return (value) =>
    /^\d+(\.\d+)?$/.test(value) && Number(value) >= min && Number(value) <= max ? undefined : `must be a number from ${min} to ${max}`
}
function oneOf(...allowed: readonly string[]): (value: string) => string | undefined {
  return (value) => (allowed.includes(value) ? undefined : `must be one of ${allowed.join(', ')}`)
}
function boolean(value: string): string | undefined {
  return value === 'true' || value === 'false' ? undefined : 'must be true or false'
}
function notEmpty(value: string): string | undefined {
  return value.trim() === '' ? 'must not be empty' : undefined
}
function uuid(value: string): string | undefined {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value) ? undefined : 'must be a UUID in lower case with hyphens'
}
function optional(check: (value: string) => string | undefined): (value: string) => string | undefined {
  return (value) => (value === '' ? undefined : check(value))
}
