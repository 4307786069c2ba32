// H6 and H10: one request that names all partitions of thousands of topics, or very many names, again and again.
import assert from 'node:assert/strict'
import {
  type Api,
  buildBatch,
  CreateTopics,
  crc32c,
  type DecodedResponseOf,
  DeleteTopics,
  DescribeConfigs,
  DescribeGroups,
  decodeResponse,
  errors,
  Fetch,
  FindCoordinator,
  JoinGroup,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  Produce,
  type RequestInputOf,
} from '@local-kafka-service/protocol'
import { WireClient } from '../../../bench/wire-client.ts'
import type { Attack, Effort, Scene, Target } from '../attack.ts'
import { ask, call, frameOf, httpGet } from '../attackers.ts'

const partitionsEach = 10
const partitions = Array.from({ length: partitionsEach }, (_, partition) => partition)
const topicsPerCreate = 500

export const largeRequests: Scene = {
  async prepare(target, effort) {
    const topics = Array.from({ length: effort.wideTopics }, (_, at) => `wide-${at}`)
    await createTopics(target, topics)
    return [...overPartitions(topics, effort), ...overNames(effort), largeMembers]
  },
}

function overPartitions(topics: readonly string[], effort: Effort): readonly Attack[] {
  const count = topics.length * partitionsEach
  const record = { offsetDelta: 0, timestamp: 5, key: null, value: new Uint8Array(1), headers: [] }
  const records = buildBatch({ baseTimestamp: 5, records: [record] }, crc32c)
  const listed = (timestamp: number): RequestInputOf<typeof ListOffsets> => ({
    replicaId: -1,
    topics: topics.map((name) => ({ name, partitions: partitions.map((partitionIndex) => ({ partitionIndex, timestamp })) })),
  })
  const errorsOf = (found: readonly { readonly partitions: readonly { readonly errorCode: number }[] }[]): readonly number[] =>
    found.flatMap((topic) => topic.partitions.map(({ errorCode }) => errorCode))
  const isGood = (errorCodes: readonly number[]): void => assert.deepEqual(errorCodes, Array<number>(count).fill(0))
  return [
    repeated('H6: Produce to all partitions', effort, Produce, 9, {
      request: {
        acks: -1,
        timeoutMs: 60_000,
        topicData: topics.map((name) => ({ name, partitionData: partitions.map((index) => ({ index, records })) })),
      },
      check: ({ responses }) => isGood(responses.flatMap((topic) => topic.partitionResponses.map(({ errorCode }) => errorCode))),
    }),
    repeated('H6: Fetch of all partitions', effort, Fetch, 12, {
      request: {
        maxWaitMs: 0,
        minBytes: 1,
        maxBytes: 50_000_000,
        topics: topics.map((topic) => ({
          topic,
          partitions: partitions.map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 1_000 })),
        })),
      },
      check: ({ responses }) => isGood(errorsOf(responses)),
    }),
    repeated('H6: ListOffsets of all partitions, the end', effort, ListOffsets, 7, {
      request: listed(-1),
      check: ({ topics: found }) => isGood(errorsOf(found)),
    }),
    repeated('H6: ListOffsets of all partitions, by time', effort, ListOffsets, 7, {
      request: listed(5),
      check: ({ topics: found }) => isGood(errorsOf(found)),
    }),
    repeated('H6: OffsetCommit for all partitions', effort, OffsetCommit, 8, {
      request: {
        groupId: 'greedy',
        memberId: '',
        topics: topics.map((name) => ({
          name,
          partitions: partitions.map((partitionIndex) => ({ partitionIndex, committedOffset: 0, committedMetadata: null })),
        })),
      },
      check: ({ topics: found }) => isGood(errorsOf(found)),
    }),
    repeated('H6: OffsetFetch for all partitions', effort, OffsetFetch, 8, {
      request: { groups: [{ groupId: 'greedy', topics: topics.map((name) => ({ name, partitionIndexes: partitions })) }] },
      check: ({ groups }) => isGood(errorsOf(groups[0]?.topics ?? [])),
    }),
    {
      name: 'H6: GET of a group with commits in all partitions',
      logLines: 0,
      growthMiB: 500,
      async run({ server }) {
        for (let round = 0; round < effort.rounds; round++) {
          const { status, text } = await httpGet(`${server.urls.control}/groups/greedy`)
          assert.equal(status, 200)
          assert.equal((JSON.parse(text) as { readonly partitions: readonly object[] }).partitions.length, count)
        }
      },
    },
    repeated('H6: Metadata of all topics', effort, Metadata, 9, {
      request: { topics: null, allowAutoTopicCreation: false },
      check: ({ topics: found }) => assert.ok(found.length >= topics.length),
    }),
  ]
}

function overNames(effort: Effort): readonly Attack[] {
  const names = Array.from({ length: effort.names }, (_, at) => `missing-${at}`)
  const all = (found: readonly unknown[]): void => assert.equal(found.length, names.length)
  return [
    repeated('H10: DescribeGroups of missing groups', effort, DescribeGroups, 5, {
      request: { groups: names },
      check: ({ groups }) => all(groups),
    }),
    repeated('H10: DeleteTopics of missing topics', effort, DeleteTopics, 5, {
      request: { topicNames: [...names, ...names.map((name) => `${name}-too`)], timeoutMs: 30_000 },
      check: ({ responses }) => assert.equal(responses.length, 2 * names.length),
    }),
    repeated('H10: Metadata of missing topics', effort, Metadata, 9, {
      request: { topics: names.map((name) => ({ name })), allowAutoTopicCreation: false },
      check: ({ topics }) => all(topics),
    }),
    repeated('H10: DescribeConfigs of missing topics', effort, DescribeConfigs, 4, {
      request: { resources: names.map((resourceName) => ({ resourceType: 2, resourceName, configurationKeys: null })) },
      check: ({ results }) => all(results),
    }),
    repeated('H10: FindCoordinator of many groups', effort, FindCoordinator, 4, {
      request: { keyType: 0, coordinatorKeys: names },
      check: ({ coordinators }) => all(coordinators),
    }),
    repeated('H10: OffsetFetch of missing groups', effort, OffsetFetch, 8, {
      request: { groups: names.map((groupId) => ({ groupId, topics: null })) },
      check: ({ groups }) => all(groups),
    }),
  ]
}

const groupCount = 60

/** Each group is another client's. */
const largeMembers: Attack = {
  name: `H6: JoinGroup of ${groupCount} groups, 1 MB each`,
  logLines: groupCount,
  growthMiB: 250,
  async run({ port }) {
    const metadata = new Uint8Array(1_000_000)
    const joins = Array.from({ length: groupCount }, (_, at) =>
      ask(port, JoinGroup, 3, {
        groupId: `large-${at}`,
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 10_000,
        memberId: '',
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata }],
      }),
    )
    const answered = new Set((await Promise.all(joins)).map(({ errorCode }) => errorCode))
    assert.deepEqual(answered, new Set([0, errors.COORDINATOR_NOT_AVAILABLE.code]))
  },
}

function repeated<A extends Api>(
  name: string,
  { rounds }: Effort,
  api: A,
  version: number,
  { request, check }: { readonly request: RequestInputOf<A>; readonly check: (response: DecodedResponseOf<A>) => void },
): Attack {
  const frame = frameOf(api, version, request)
  return {
    name,
    logLines: 1,
    growthMiB: 500, // with 50,000 partitions in memory, of which each has segments and watermarks
    async run({ port }) {
      const client = await WireClient.open(port)
      try {
        let last: Uint8Array = new Uint8Array()
        for (let round = 0; round < rounds; round++) last = await client.send(frame)
        // The attackers' program is busy with this for a while; the ordinary client is a program of its own.
        check(decodeResponse(api, version, last).response)
      } finally {
        client.close()
      }
    },
  }
}

async function createTopics({ port }: Target, names: readonly string[]): Promise<void> {
  const client = await WireClient.open(port)
  for (let from = 0; from < names.length; from += topicsPerCreate) {
    const topics = names
      .slice(from, from + topicsPerCreate)
      .map((name) => ({ name, numPartitions: partitionsEach, replicationFactor: 1, assignments: [], configs: [] }))
    const answer = await call(client, CreateTopics, 5, { topics, timeoutMs: 60_000 })
    assert.ok(answer.topics.every(({ errorCode }) => errorCode === 0))
  }
  client.close()
}
