// The topics of an embedded server: creates them from the test's input, and looks them up with a helpful error.
import type { AgentOperations, Topic } from '@local-kafka-service/agent'
import { didYouMean } from '../did-you-mean.ts'
import { UserError } from '../user-error.ts'
import { checkOptionNames } from './option-names.ts'
import { RefusedError } from './rejection-error.ts'
import { rejectionOf, valueOf } from './rejections.ts'
import type { TopicSpec } from './topic-spec.ts'

type TopicServices = Pick<AgentOperations, 'topics'>

export async function createTopic({ topics }: TopicServices, name: string, spec: number | TopicSpec | undefined): Promise<void> {
  valueOf(await topics.create({ name, ...asked(name, spec), dryRun: false }))
}

/** The topics of `startKafka({ topics })`. An existing one is left unchanged, and must match. */
export async function provideTopics(parts: TopicServices, wanted: Readonly<Record<string, number | TopicSpec>>): Promise<void> {
  for (const [name, spec] of Object.entries(wanted)) {
    const [found] = await parts.topics.find([name], { autoCreate: false })
    if (found?.kind === 'ok') checkSame(found.value, asked(name, spec))
    else await createOption(parts, name, spec)
  }
}

/** Returns the topic, which is created now if the settings allow it. */
export async function findOrMake({ topics }: TopicServices, name: string): Promise<Topic> {
  const [found] = await topics.find([name], { autoCreate: true })
  if (found?.kind === 'ok') return found.value
  throw found === undefined ? new RefusedError('UNKNOWN_TOPIC_OR_PARTITION', `topic '${name}' does not exist`) : rejectionOf(found)
}

/** Rejects with the names of the existing topics. */
export async function find({ topics }: TopicServices, name: string): Promise<Topic> {
  const [found] = await topics.find([name], { autoCreate: false })
  if (found?.kind === 'ok') return found.value
  const { code, message } = rejectionOf(found ?? { kind: 'error', code: 3 })
  const names = (await topics.list()).map((topic) => topic.name)
  const others =
    names.length === 0 ? 'there are no topics' : `the topics are: ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}`
  throw new RefusedError(code, `${message.replace(/\.$/, '')}${didYouMean(name, names)}; ${others}`)
}

interface AskedTopic {
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
}

function asked(name: string, spec: number | TopicSpec | undefined): AskedTopic {
  if (typeof spec === 'object') checkOptionNames('a topic', spec)
  const { partitions = -1, config = {} } = typeof spec === 'object' ? spec : { partitions: spec ?? -1 }
  if (spec !== undefined && partitions === -1 && typeof spec === 'number') throw countError(name, spec)
  if (partitions !== -1 && (!Number.isInteger(partitions) || partitions < 1)) throw countError(name, partitions)
  return { partitions, configs: Object.fromEntries(Object.entries(config).map(([key, value]) => [key, String(value)])) }
}

function countError(name: string, given: unknown): RefusedError {
  return new RefusedError(
    'INVALID_PARTITIONS',
    `topic '${name}': ${String(given)} is not a valid number of partitions; use an integer of at least 1`,
  )
}

async function createOption(parts: TopicServices, name: string, spec: number | TopicSpec): Promise<void> {
  try {
    await createTopic(parts, name, spec)
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error
    throw new UserError('LKS-1004', {
      what: `topic '${name}' cannot be created`,
      why: error.message,
      fix: ['topics: { name: partitions } or { name: { partitions, config } }', 'the configs are in docs/reference/configuration.md'],
      cause: error,
    })
  }
}

function checkSame(topic: Topic, { partitions, configs }: AskedTopic): void {
  const differences = [
    ...(partitions === -1 || partitions === topic.partitions ? [] : [`it has ${topic.partitions} partitions, not ${partitions}`]),
    ...Object.entries(configs).flatMap(([key, value]) =>
      topic.configs[key] === value ? [] : [`its ${key} is ${topic.configs[key] ?? 'the default'}, not ${value}`],
    ),
  ]
  if (differences.length === 0) return
  throw new UserError('LKS-1004', {
    what: `topic '${topic.name}' already exists, with other settings`,
    why: differences.join('; '),
    fix: ['use its settings', 'use another name', 'use another dir'],
  })
}
