// The topics of an embedded Kafka: makes them from what a test says, and finds them with an error that helps.
import type { Services, Topic } from '@local-kafka-service/agent'
import { didYouMean } from '../did-you-mean.ts'
import { UserError } from '../user-error.ts'
import { checkOptionNames } from './option-names.ts'
import { refusedError, valueOf } from './refusals.ts'
import { RefusedError } from './refused-error.ts'
import type { TopicSpec } from './start-options.ts'

type Parts = Pick<Services, 'topics'>

export async function createTopic({ topics }: Parts, name: string, spec: number | TopicSpec | undefined): Promise<void> {
  valueOf(await topics.create({ name, ...asked(name, spec), dryRun: false }))
}

/** What `startKafka({ topics })` asks for. One that is there is left as it is, and must be as asked for. */
export async function provideTopics(parts: Parts, wanted: Readonly<Record<string, number | TopicSpec>>): Promise<void> {
  for (const [name, spec] of Object.entries(wanted)) {
    const [found] = await parts.topics.find([name], { autoCreate: false })
    if (found?.kind === 'ok') checkSame(found.value, asked(name, spec))
    else await createOption(parts, name, spec)
  }
}

/** Of the topic, or of the one that is made now where the settings allow it. */
export async function findOrMake({ topics }: Parts, name: string): Promise<Topic> {
  const [found] = await topics.find([name], { autoCreate: true })
  if (found?.kind === 'ok') return found.value
  throw found === undefined ? new RefusedError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic '${name}'`) : refusedError(found)
}

/** Rejects with the names that there are. */
export async function find({ topics }: Parts, name: string): Promise<Topic> {
  const [found] = await topics.find([name], { autoCreate: false })
  if (found?.kind === 'ok') return found.value
  const { code, message } = refusedError(found ?? { kind: 'error', code: 3 })
  const names = (await topics.list()).map((topic) => topic.name)
  const others = names.length === 0 ? 'there is none' : `there are: ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}`
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
    `topic '${name}': ${String(given)} is no number of partitions; it is a whole number from 1 on`,
  )
}

async function createOption(parts: Parts, name: string, spec: number | TopicSpec): Promise<void> {
  try {
    await createTopic(parts, name, spec)
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error
    throw new UserError('LKS-1004', {
      what: `topic '${name}' cannot be made`,
      why: error.message,
      fix: ['topics: { name: partitions } or { name: { partitions, config } }', 'see the configs: docs/reference/configuration.md'],
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
    what: `topic '${topic.name}' is there already, and it is not as asked for`,
    why: differences.join('; '),
    fix: ['say it as it is', 'give it another name', 'begin with another dir'],
  })
}
