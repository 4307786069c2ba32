// Groups over HTTP, in front of a whole agent; the members use Kafka's protocol.
import {
  encodeAssignment,
  encodeSubscription,
  JoinGroup,
  LeaveGroup,
  OffsetCommit,
  OffsetFetch,
  Produce,
  SyncGroup,
} from '@local-kafka-service/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentForTests, aBatch, anAgent } from '../../agent/src/api/testing/an-agent.ts'
import { type HttpServers, serveHttp } from './serve.ts'
import { json } from './testing/json.ts'
import { served } from './testing/served.ts'

let kafka: AgentForTests
let http: HttpServers
beforeAll(async () => {
  kafka = await anAgent()
  const port = { hosts: ['127.0.0.1'], port: 0, movable: false }
  http = await serveHttp(kafka.agent, { control: port, data: port, allowedHosts: [], version: '0.0.0-test' })
})
afterAll(async () => {
  await http.stop()
  await kafka[Symbol.asyncDispose]()
})

const get = (path: string): Promise<Response> => fetch(`${http.control.url}${path}`)
const del = (path: string): Promise<Response> => fetch(`${http.control.url}${path}`, { method: 'DELETE' })
const seek = (group: string, body: object): Promise<Response> =>
  fetch(`${http.control.url}/groups/${group}/seek`, { method: 'POST', body: JSON.stringify(body) })

/** A topic with these numbers of records in its partitions, one second apart. */
async function aTopic(name: string, counts: readonly number[]): Promise<void> {
  await kafka.topic(name, counts.length)
  for (const [index, records] of counts.entries())
    for (let at = 0; at < records; at += 1) {
      const partitionData = [{ index, records: aBatch([`v${at}`], { timestamp: firstMs + at * 1000 }) }]
      await kafka.call(Produce, 9, { acks: -1, timeoutMs: 1000, topicData: [{ name, partitionData }] })
    }
}
const firstMs = Date.parse('2026-01-01T00:00:00Z')

async function commit(groupId: string, topic: string, offsets: readonly number[]): Promise<void> {
  const partitions = offsets.map((committedOffset, partitionIndex) => ({ partitionIndex, committedOffset, committedMetadata: 'mine' }))
  const { topics } = await kafka.call(OffsetCommit, 8, { groupId, memberId: '', topics: [{ name: topic, partitions }] })
  expect(topics[0]?.partitions.map(({ errorCode }) => errorCode)).toEqual(offsets.map(() => 0))
}

async function committed(groupId: string): Promise<readonly number[]> {
  const { groups } = await kafka.call(OffsetFetch, 8, { groups: [{ groupId, topics: null }] })
  return (groups[0]?.topics ?? []).flatMap(({ partitions }) => partitions.map(({ committedOffset }) => committedOffset))
}

/** One consumer that reads both partitions of the topic. */
async function joined(groupId: string, topic: string): Promise<string> {
  const more = { userData: null, ownedPartitions: [], generationId: -1, rackId: null }
  const metadata = encodeSubscription({ topics: [topic], ...more }, 1)
  const { memberId, generationId } = await kafka.call(JoinGroup, 3, {
    groupId,
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 30_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata }],
  })
  const assignment = encodeAssignment({ assignedPartitions: [{ topic, partitions: [0, 1] }], userData: null }, 1)
  const { errorCode } = await kafka.call(SyncGroup, 3, { groupId, memberId, generationId, assignments: [{ memberId, assignment }] })
  expect(errorCode).toBe(0)
  return memberId
}

test('a group is shown with its members, their assignments, and its lag per partition and in total', async () => {
  await aTopic('shown', [5, 3])
  await commit('shown-group', 'shown', [2])
  const memberId = await joined('shown-group', 'shown')
  const response = await get('/groups/shown-group')
  expect(response.status).toBe(200)
  expect(await json(response)).toEqual({
    group: 'shown-group',
    type: 'classic',
    state: 'Stable',
    protocolType: 'consumer',
    protocol: 'range',
    generation: 1,
    leader: memberId,
    members: [
      {
        member: memberId,
        instance: null,
        clientId: 'test',
        host: '10.0.0.9',
        topics: ['shown'],
        assignment: [{ topic: 'shown', partitions: [0, 1] }],
      },
    ],
    partitions: [
      { topic: 'shown', partition: 0, offset: 2, metadata: 'mine', start: 0, end: 5, lag: 3, member: memberId },
      { topic: 'shown', partition: 1, offset: null, metadata: null, start: 0, end: 3, lag: 3, member: memberId },
    ],
    lag: 6,
  })
})

test('a member of another protocol type is shown without an assignment', async () => {
  const join = { groupId: 'workers', sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000, memberId: '', protocolType: 'connect' }
  const { memberId, generationId } = await kafka.call(JoinGroup, 3, {
    ...join,
    protocols: [{ name: 'sessioned', metadata: Buffer.from('?') }],
  })
  await kafka.call(SyncGroup, 3, { groupId: 'workers', memberId, generationId, assignments: [{ memberId, assignment: Buffer.from('??') }] })
  expect(await json(get('/groups/workers'))).toMatchObject({
    state: 'Stable',
    protocolType: 'connect',
    members: [{ topics: null, assignment: null }],
    partitions: [],
  })
})

test('groups are listed by id, and deleted with their offsets', async () => {
  await aTopic('listed', [1])
  await commit('b-listed', 'listed', [1])
  await commit('a-listed', 'listed', [1])
  const ids = async (): Promise<readonly unknown[]> => {
    const { groups } = await json<{ readonly groups: readonly { readonly group: string }[] }>(get('/groups'))
    return groups.filter(({ group }) => group.endsWith('-listed'))
  }
  const listing = { type: 'classic', state: 'Empty', protocolType: '' }
  expect(await ids()).toEqual([
    { group: 'a-listed', ...listing },
    { group: 'b-listed', ...listing },
  ])
  const deleted = await del('/groups/a-listed')
  expect(deleted.status).toBe(200)
  expect(await json(deleted)).toEqual({ group: 'a-listed' })
  expect(await ids()).toEqual([{ group: 'b-listed', ...listing }])
  expect(await committed('a-listed')).toEqual([])
})

test('an unknown group is a 404 on every route', async () => {
  for (const response of [await get('/groups/nobody'), await del('/groups/nobody'), await seek('nobody', { to: 'start' })]) {
    expect(response.status).toBe(404)
    expect(await json(response)).toMatchObject({ error: 'GroupIdNotFoundException', kafka: { name: 'GROUP_ID_NOT_FOUND' } })
  }
})

test('a group with members cannot be moved or deleted, and a preview is rejected too', async () => {
  await aTopic('busy', [2, 2])
  await commit('busy-group', 'busy', [1, 1])
  const memberId = await joined('busy-group', 'busy')
  const rejected = [
    await seek('busy-group', { to: 'start' }),
    await seek('busy-group', { to: 'start', apply: true }),
    await del('/groups/busy-group'),
  ]
  for (const response of rejected) {
    expect(response.status).toBe(409)
    expect(await json(response)).toMatchObject({ error: 'GroupNotEmptyException', kafka: { name: 'NON_EMPTY_GROUP' } })
  }
  expect(await committed('busy-group')).toEqual([1, 1])
  await kafka.call(LeaveGroup, 0, { groupId: 'busy-group', memberId })
  expect((await seek('busy-group', { to: 'start', apply: true })).status).toBe(200)
  expect(await committed('busy-group')).toEqual([0, 0])
})

test.each([
  ['to the start', { to: 'start' }, [0, 0]],
  ['to the end', { to: 'end' }, [5, 3]],
  ['to an offset, within what is there', { offset: 4 }, [4, 3]],
  ['by so many back, not before the start', { by: -2 }, [1, 0]],
  ['by so many on, not beyond the end', { by: 1 }, [4, 2]],
  ['to a time, or the end where no record is that new', { time: '2026-01-01T00:00:03Z' }, [3, 3]],
])('offsets are moved %s', async (name, to, expected) => {
  const topic = name.replaceAll(/\W/g, '-')
  const group = `group-${topic}`
  await aTopic(topic, [5, 3])
  await commit(group, topic, [3, 1])
  const preview = await json(seek(group, to))
  const moved = (applied: boolean): object => ({
    group,
    applied,
    partitions: [
      { topic, partition: 0, from: 3, to: expected[0], end: 5, lag: 5 - (expected[0] ?? 0) },
      { topic, partition: 1, from: 1, to: expected[1], end: 3, lag: 3 - (expected[1] ?? 0) },
    ],
  })
  expect(preview).toEqual(moved(false))
  expect(await committed(group)).toEqual([3, 1])
  expect(await json(seek(group, { ...to, apply: true }))).toEqual(moved(true))
  expect(await committed(group)).toEqual(expected)
})

test('only the partitions of the request are moved, and an unknown group is created with them', async () => {
  await aTopic('named', [2, 2, 2])
  const response = await seek('new-group', { to: 'end', topic: 'named', partitions: [2, 0], apply: true })
  expect(await json(response)).toMatchObject({
    partitions: [
      { partition: 0, from: null, to: 2 },
      { partition: 2, from: null, to: 2 },
    ],
  })
  expect(await committed('new-group')).toEqual([2, 2])
  expect(await json(get('/groups/new-group'))).toMatchObject({ state: 'Empty', members: [], lag: 2 })
})

test.each([
  [{}, 'InvalidRequestException', /exactly one of/],
  [{ to: 'start', offset: 1 }, 'InvalidRequestException', /exactly one of/],
  [{ to: 'middle' }, 'InvalidRequestException', /'to'/],
  [{ offset: -1 }, 'InvalidRequestException', /'offset'/],
  [{ time: 'yesterday' }, 'InvalidRequestException', /ISO 8601/],
  [{ to: 'start', partitions: [0] }, 'InvalidRequestException', /names partitions but no topic/],
  [{ by: -1, topic: 'wrong', partitions: [1] }, 'InvalidRequestException', /Partition 1 of topic 'wrong' has no committed offset/],
  [{ to: 'start', topic: 'wrong', partitions: [2] }, 'UnknownTopicOrPartitionException', /no partition 2/],
  [{ to: 'start', topic: 'nowhere' }, 'UnknownTopicOrPartitionException', /nowhere/],
  [{ to: 'start', aply: true }, 'InvalidRequestException', /no member 'aply'/],
])('the seek %j is rejected and moves nothing', async (body, error, message) => {
  if ((await get('/topics/wrong')).status === 404) await aTopic('wrong', [2, 2])
  await commit('wrong-group', 'wrong', [1])
  const response = await seek('wrong-group', { apply: true, ...body })
  const problem = await json(response)
  expect(problem).toMatchObject({ error })
  expect(problem.message).toMatch(message)
  expect(await committed('wrong-group')).toEqual([1])
})

test('a group of another agent is a 503, and the gate checks the right to the group', async () => {
  await using elsewhere = await served()
  const response = await fetch(`${elsewhere.control}/groups/far`)
  expect(response.status).toBe(503)
  expect(response.headers.get('retry-after')).toBe('1')
  expect(await json(response)).toMatchObject({ error: 'NotCoordinatorException' })
  expect(elsewhere.asked).toEqual(['DESCRIBE GROUP far'])
  await using closed = await served({ reject: true })
  for (const [method, path] of [
    ['GET', '/groups'],
    ['GET', '/groups/g'],
    ['POST', '/groups/g/seek'],
    ['DELETE', '/groups/g'],
  ] as const) {
    const answer = await fetch(`${closed.control}${path}`, { method, ...(method === 'POST' && { body: '{"to":"start"}' }) })
    expect([path, answer.status]).toEqual([path, 403])
  }
  expect(closed.asked.slice(1)).toEqual(['DESCRIBE GROUP g', 'READ GROUP g', 'DELETE GROUP g'])
})

test('N7: every partition of a topic with commits is shown; one without a commit has no offset, and all its records as lag', async () => {
  await aTopic('partly', [4, 3, 2])
  await commit('partly-group', 'partly', [4, 1])
  expect(await json(get('/groups/partly-group'))).toMatchObject({
    partitions: [
      { partition: 0, offset: 4, lag: 0 },
      { partition: 1, offset: 1, lag: 2 },
      { partition: 2, offset: null, lag: 2 },
    ],
    lag: 4,
  })
  expect(await json(seek('partly-group', { by: -1 }))).toMatchObject({
    partitions: [
      { partition: 0, to: 3 },
      { partition: 1, to: 0 },
    ],
  })
  expect((await seek('partly-group', { to: 'end', apply: true })).status).toBe(200)
  expect(await committed('partly-group')).toEqual([4, 3, 2])
  expect(await json(get('/groups/partly-group'))).toMatchObject({ lag: 0 })
})
