// Requests about very many names or partitions: meanwhile another client gets an answer to a short request, and all answers are right.
import {
  type Api,
  ApiVersions,
  CreatePartitions,
  CreateTopics,
  DeleteGroups,
  DeleteTopics,
  DescribeConfigs,
  DescribeGroups,
  FindCoordinator,
  Metadata,
  OffsetCommit,
  OffsetDelete,
  OffsetFetch,
  type RequestInputOf,
} from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { fixedLimits } from '../limits.ts'
import type { Services } from '../services.ts'
import { Turns } from '../time/turns.ts'
import { type AgentForTests, anAgent } from './testing/an-agent.ts'

const many = 5 * fixedLimits.unitsPerTurn
const names = Array.from({ length: many }, (_, index) => `name-${index}`)
const wide = 'wide'
const partitions = Array.from({ length: many }, (_, partitionIndex) => partitionIndex)

/** Sends the request, and a short one a turn of the event loop later. Returns the order of the answers. */
async function race<A extends Api>(kafka: AgentForTests, api: A, version: number, request: RequestInputOf<A>): Promise<readonly string[]> {
  const answered: string[] = []
  const long = kafka.call(api, version, request).then(() => answered.push('long'))
  await new Promise((resolve) => setImmediate(resolve))
  const short = kafka.call(ApiVersions, 0, {}).then(() => answered.push('short'))
  await Promise.all([long, short])
  return answered
}

function committing(groupId: string): RequestInputOf<typeof OffsetCommit> {
  return {
    groupId,
    memberId: '',
    topics: [
      {
        name: wide,
        partitions: partitions.map((partitionIndex) => ({ partitionIndex, committedOffset: partitionIndex, committedMetadata: null })),
      },
    ],
  }
}

const requests: readonly (readonly [string, (kafka: AgentForTests) => Promise<readonly string[]>])[] = [
  ['H10: DescribeGroups', (kafka) => race(kafka, DescribeGroups, 5, { groups: names })],
  ['H10: DeleteGroups', (kafka) => race(kafka, DeleteGroups, 2, { groupsNames: names })],
  ['H10: DeleteTopics', (kafka) => race(kafka, DeleteTopics, 5, { topicNames: names, timeoutMs: 1_000 })],
  ['H10: Metadata', (kafka) => race(kafka, Metadata, 9, { topics: names.map((name) => ({ name })), allowAutoTopicCreation: false })],
  ['H10: Metadata of very many partitions', (kafka) => race(kafka, Metadata, 9, { topics: null, allowAutoTopicCreation: false })],
  [
    'H10: DescribeConfigs',
    (kafka) =>
      race(kafka, DescribeConfigs, 4, {
        resources: names.map((resourceName) => ({ resourceType: 2, resourceName, configurationKeys: null })),
      }),
  ],
  ['H10: FindCoordinator', (kafka) => race(kafka, FindCoordinator, 4, { keyType: 0, coordinatorKeys: names })],
  [
    'H10: CreateTopics of illegal names',
    (kafka) =>
      race(kafka, CreateTopics, 5, {
        topics: names.map((name) => ({ name: `${name}!`, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })),
        timeoutMs: 1_000,
      }),
  ],
  [
    'H10: CreatePartitions',
    (kafka) =>
      race(kafka, CreatePartitions, 3, {
        topics: names.map((name) => ({ name, count: 2, assignments: null })),
        timeoutMs: 1_000,
        validateOnly: false,
      }),
  ],
  [
    'H10: OffsetFetch of many groups',
    (kafka) => race(kafka, OffsetFetch, 8, { groups: names.map((groupId) => ({ groupId, topics: null })) }),
  ],
  ['H6: OffsetCommit', (kafka) => race(kafka, OffsetCommit, 8, committing('g'))],
  [
    'H6: OffsetFetch',
    (kafka) => race(kafka, OffsetFetch, 8, { groups: [{ groupId: 'g', topics: [{ name: wide, partitionIndexes: partitions }] }] }),
  ],
  [
    'H6: OffsetDelete',
    (kafka) =>
      race(kafka, OffsetDelete, 0, {
        groupId: 'g',
        topics: [{ name: wide, partitions: partitions.map((partitionIndex) => ({ partitionIndex })) }],
      }),
  ],
]

test.each(requests)('%s: a short request is answered before a very large one', async (_, ask) => {
  await using kafka = await anAgent()
  await kafka.topic(wide, many)
  await kafka.call(OffsetCommit, 8, {
    ...committing('g'),
    topics: [{ name: wide, partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }] }],
  })
  expect(await ask(kafka)).toEqual(['short', 'long'])
})

/** How often a handler lets others run, besides the turns of what it calls. */
async function turnsIn(ask: (services: Pick<Services, 'turns'>) => Promise<unknown>): Promise<number> {
  let turns = 0
  const soon = (callback: () => void): void => {
    turns += 1
    setImmediate(callback)
  }
  await ask({ turns: new Turns({ soon }) })
  return turns
}

test('H10: each pass of a handler over very many names takes several turns', async () => {
  await using kafka = await anAgent()
  const eachPass = many / fixedLimits.unitsPerTurn - 1
  const topicNames = { topicNames: names, timeoutMs: 1_000 }
  expect(await turnsIn((services) => kafka.call(DeleteTopics, 5, topicNames, { services }))).toBeGreaterThanOrEqual(5 * eachPass)
  const groups = names.map((groupId) => ({ groupId, topics: null }))
  expect(await turnsIn((services) => kafka.call(OffsetFetch, 8, { groups }, { services }))).toBeGreaterThanOrEqual(3 * eachPass)
})

test('H6: very many offsets are committed, fetched and deleted, and each partition has its own', async () => {
  await using kafka = await anAgent()
  await kafka.topic(wide, many)
  const { topics } = await kafka.call(OffsetCommit, 8, committing('g'))
  expect(topics[0]?.partitions.map(({ errorCode }) => errorCode)).toEqual(partitions.map(() => 0))
  const fetched = async (named: boolean): Promise<readonly number[]> => {
    const asked = named ? [{ name: wide, partitionIndexes: partitions }] : null
    const { groups } = await kafka.call(OffsetFetch, 8, { groups: [{ groupId: 'g', topics: asked }] })
    return (groups[0]?.topics ?? []).flatMap((topic) => topic.partitions.map(({ committedOffset }) => committedOffset))
  }
  expect(await fetched(true)).toEqual(partitions)
  expect(await fetched(false)).toEqual(partitions)
  const deleted = partitions.slice(1).map((partitionIndex) => ({ partitionIndex }))
  await kafka.call(OffsetDelete, 0, { groupId: 'g', topics: [{ name: wide, partitions: deleted }] })
  expect(await fetched(false)).toEqual([0])
})
