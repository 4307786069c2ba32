// The configuration registry: every setting of an agent and of a topic, said once. Flags, help, LKS_… names, docs, CreateTopics and DescribeConfigs are read from it.
// Longer than other files because it is one thing: the two tables, and the checks that stand in their rows.

export type SettingType = 'string' | 'int' | 'long' | 'boolean' | 'double' | 'list'

export interface Setting {
  /** Kafka's name where Kafka has one. */
  readonly name: string
  readonly type: SettingType
  /** As text, as DescribeConfigs shows it. Null: not set. */
  readonly default: { readonly dev: string | null; readonly start: string | null }
  readonly unit?: 'ms' | 'bytes' | 'count' | 'per second'
  readonly doc: string
  /** The file that enforces it. */
  readonly enforcedBy: string
  readonly since: string
  readonly secret?: true
  /** Also answered by DescribeConfigs for a broker. */
  readonly kafka?: true
  /** Undefined when the value is fine, else what is wrong with it, in words. */
  readonly check: (value: string) => string | undefined
}

export interface TopicSetting {
  readonly name: string
  readonly type: SettingType
  readonly default: string
  /** The agent's setting that gives the default, where there is one. */
  readonly synonym?: string
  readonly unit?: 'ms' | 'bytes' | 'count' | 'per second'
  readonly doc: string
  readonly enforcedBy: string
  readonly since: string
  readonly check: (value: string) => string | undefined
}

const both = (value: string | null): Setting['default'] => ({ dev: value, start: value })

export const agentSettings = [
  {
    name: 'cluster.id',
    type: 'string',
    default: both(null),
    doc: 'The cluster to serve. Without it: the only one in the database, or a new one.',
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
    name: 'durability',
    type: 'string',
    default: { dev: 'os', start: 'strict' },
    doc: 'What an acknowledgement survives: strict (power loss), os (kill -9), memory (nothing).',
    enforcedBy: 'parts.ts',
    since: '0.1',
    check: oneOf('strict', 'os', 'memory'),
  },
  {
    name: 'flush.bytes',
    type: 'int',
    default: both('8388608'),
    unit: 'bytes',
    doc: 'A flush is sealed when it holds this much.',
    enforcedBy: 'write/writer.ts',
    since: '0.1',
    check: integer(1_024, 268_435_456),
  },
  {
    name: 'flush.linger.ms',
    type: 'int',
    default: both('250'),
    unit: 'ms',
    doc: 'A flush is sealed at this age at the latest, if the budget of PUTs allows. An idle agent seals at once.',
    enforcedBy: 'write/writer.ts',
    since: '0.1',
    check: integer(0, 60_000),
  },
  {
    name: 'flush.puts.per.second',
    type: 'double',
    default: both('4'),
    unit: 'per second',
    doc: 'The budget of PUTs on S3, with bursts of as many again. A directory or memory has no budget.',
    enforcedBy: 'write/writer.ts',
    since: '0.1',
    check: decimal(0.1, 1_000),
  },
  {
    name: 'cache.bytes',
    type: 'long',
    default: { dev: '67108864', start: '536870912' },
    unit: 'bytes',
    doc: 'Memory for object bytes that were just written or read.',
    enforcedBy: 'objects/cached.ts',
    since: '0.1',
    check: integer(0, Number.MAX_SAFE_INTEGER),
  },
  {
    name: 'num.partitions',
    type: 'int',
    default: both('1'),
    unit: 'count',
    doc: 'Partitions of a topic that is made without a count by Kafka clients. POST /topics uses http.num.partitions.',
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
    doc: 'Partitions of a topic that POST /topics makes without a count.',
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
    doc: 'Whether naming a missing topic makes it.',
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
    doc: 'Open every compressed batch at produce and check its records, as Kafka does. It costs several times the CPU of the rest. Without it only batches with a suspicious header are opened.',
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
    doc: 'The shortest session time-out that a member may ask for.',
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
    doc: 'The longest session time-out that a member may ask for.',
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
    doc: 'Members that a group may have.',
    enforcedBy: 'core/group/join-group.ts',
    since: '0.1',
    kafka: true,
    check: integer(1, 2_147_483_647),
  },
  {
    name: 'group.leave.on.disconnect',
    type: 'boolean',
    default: { dev: 'true', start: 'false' },
    doc: 'Whether a member without an instance id leaves its group 2 s after its connection ended, unless it is back over another one, and not when its session ends.',
    enforcedBy: 'core/group/leave-group.ts',
    since: '0.1',
    check: boolean,
  },
  {
    name: 'offset.metadata.max.bytes',
    type: 'int',
    default: both('4096'),
    unit: 'bytes',
    doc: 'The longest metadata beside a committed offset.',
    enforcedBy: 'api/offset-commit.ts',
    since: '0.1',
    kafka: true,
    check: integer(0, 1_048_576),
  },
  {
    name: 'offsets.retention.minutes',
    type: 'int',
    default: both('10080'),
    doc: 'How many minutes committed offsets are kept after their group lost its last member. After their commit in a group that never had one, and while consumers are members for topics that none of them reads.',
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
    doc: 'How often expired offsets are looked for, and groups that have neither members nor offsets, which go then.',
    enforcedBy: 'coordinate/groups.ts',
    since: '0.1',
    kafka: true,
    check: integer(1, Number.MAX_SAFE_INTEGER),
  },
  {
    name: 'max.incremental.fetch.session.cache.slots',
    type: 'int',
    default: both('1000'),
    unit: 'count',
    doc: 'Fetch sessions kept; further clients send full fetches.',
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
    doc: 'Kafka connections at a time. A new one takes the place of one that has never sent a request, or else has been idle the longest; without one it is closed.',
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
    doc: 'Kafka connections of one address at a time; further ones are closed.',
    enforcedBy: 'net/connection-quotas.ts',
    since: '0.1',
    kafka: true,
    check: integer(0, 2_147_483_647),
  },
] as const satisfies readonly Setting[]

/** Topic configs whose machinery exists. Any other known or unknown name is refused with INVALID_CONFIG, never stored and ignored. */
export const topicSettings = [
  {
    name: 'cleanup.policy',
    type: 'list',
    default: 'delete',
    doc: 'Only delete: compaction does not exist yet.',
    enforcedBy: 'settings.ts',
    since: '0.1',
    check: only('delete', 'log compaction is not supported yet'),
  },
  {
    name: 'compression.type',
    type: 'string',
    default: 'producer',
    doc: 'Only producer: batches are kept as the producer compressed them.',
    enforcedBy: 'settings.ts',
    since: '0.1',
    check: only('producer', 'recompression is not supported'),
  },
  {
    name: 'max.message.bytes',
    type: 'int',
    default: '1048588',
    synonym: 'message.max.bytes',
    unit: 'bytes',
    doc: 'The largest record batch that is accepted, after compression.',
    enforcedBy: 'core/log/validate.ts',
    since: '0.1',
    check: integer(0, 104_857_600),
  },
  {
    name: 'message.timestamp.type',
    type: 'string',
    default: 'CreateTime',
    synonym: 'log.message.timestamp.type',
    doc: "CreateTime keeps the producer's timestamps, LogAppendTime stamps each batch when it is received.",
    enforcedBy: 'core/log/validate.ts',
    since: '0.1',
    check: oneOf('CreateTime', 'LogAppendTime'),
  },
  {
    name: 'message.timestamp.before.max.ms',
    type: 'long',
    default: '9223372036854775807',
    synonym: 'log.message.timestamp.before.max.ms',
    unit: 'ms',
    doc: 'How old a CreateTime timestamp may be.',
    enforcedBy: 'core/log/validate.ts',
    since: '0.1',
    check: long(0n),
  },
  {
    name: 'message.timestamp.after.max.ms',
    type: 'long',
    default: '3600000',
    synonym: 'log.message.timestamp.after.max.ms',
    unit: 'ms',
    doc: 'How far in the future a CreateTime timestamp may be.',
    enforcedBy: 'core/log/validate.ts',
    since: '0.1',
    check: long(0n),
  },
  {
    name: 'min.insync.replicas',
    type: 'int',
    default: '1',
    unit: 'count',
    doc: 'Only 1: the object store replicates.',
    enforcedBy: 'settings.ts',
    since: '0.1',
    check: only('1', 'the object store replicates, there are no replicas to count'),
  },
  {
    name: 'retention.ms',
    type: 'long',
    default: '-1',
    unit: 'ms',
    doc: 'Only -1 or 9223372036854775807 (keep indefinitely): retention does not exist yet.',
    enforcedBy: 'settings.ts',
    since: '0.1',
    check: unlimited,
  },
  {
    name: 'retention.bytes',
    type: 'long',
    default: '-1',
    unit: 'bytes',
    doc: 'Only -1 or 9223372036854775807 (keep all): retention does not exist yet.',
    enforcedBy: 'settings.ts',
    since: '0.1',
    check: unlimited,
  },
] as const satisfies readonly TopicSetting[]

export type AgentSettingName = (typeof agentSettings)[number]['name']
export type TopicSettingName = (typeof topicSettings)[number]['name']
export type SettingSource = 'flag' | 'environment' | 'file' | 'default'

/** The values an agent runs with, as text, each with where it came from; typed reads are below. */
export interface Settings {
  readonly values: ReadonlyMap<AgentSettingName, { readonly value: string | null; readonly source: SettingSource }>
}

/** Throws a RangeError that names the setting and what is wrong with its value. */
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
  return { values }
}

export function text(of: Settings, name: AgentSettingName): string | undefined {
  return of.values.get(name)?.value ?? undefined
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

/** What is wrong with a topic config, in words; undefined when it may be set. `known` Kafka names without machinery here are told apart from misspelt ones by the message. */
export function checkTopicConfig(name: string, value: string | null): string | undefined {
  const setting = topicSettings.find((candidate) => candidate.name === name)
  if (setting === undefined) return `Unknown or unsupported topic config name: ${name}`
  if (value === null) return `Null value not supported for topic configs: ${name}`
  const wrong = setting.check(value.trim())
  return wrong === undefined ? undefined : `Invalid value ${value} for configuration ${name}: ${wrong}`
}

/** A topic's effective config: its own value, else the agent's synonym, else the default. Also where it came from, in DescribeConfigs' words. */
export function topicConfig(
  own: Readonly<Record<string, string>>,
  of: Settings,
  name: TopicSettingName,
): { readonly value: string; readonly source: 'DYNAMIC_TOPIC_CONFIG' | 'STATIC_BROKER_CONFIG' | 'DEFAULT_CONFIG' } {
  const mine = own[name]
  if (mine !== undefined) return { value: mine, source: 'DYNAMIC_TOPIC_CONFIG' }
  const setting: TopicSetting | undefined = topicSettings.find((candidate) => candidate.name === name)
  const synonym = setting?.synonym === undefined ? undefined : agentSettings.find((candidate) => candidate.name === setting.synonym)
  const agents = synonym && of.values.get(synonym.name)
  if (agents?.value != null && agents.source !== 'default') return { value: agents.value, source: 'STATIC_BROKER_CONFIG' }
  return { value: agents?.value ?? setting?.default ?? '', source: 'DEFAULT_CONFIG' }
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
function only(allowed: string, why: string): (value: string) => string | undefined {
  return (value) => (value === allowed ? undefined : why)
}
/** The two ways to say "without a limit": Kafka's own, and the largest int64 that tools send (Debezium's schema history). Kept as they were sent. */
function unlimited(value: string): string | undefined {
  return value === '-1' || value === '9223372036854775807' ? undefined : 'finite retention is not supported yet'
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
