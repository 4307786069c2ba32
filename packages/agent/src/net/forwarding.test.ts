// Two agents of one cluster: whichever of them a client asks, it gets the answer of the agent that owns the partition or coordinates the group.
import {
  attributeBits,
  DeleteRecords,
  errors,
  FindCoordinator,
  Heartbeat,
  InitProducerId,
  JoinGroup,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  Produce,
  SyncGroup,
} from '@local-kafka-service/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type AgentForTests, aBatch, anAgent, aPeer, type CallOptions } from '../api/testing/an-agent.ts'
import { slotOfName, slotOfPartition } from '../core/slots.ts'
import { fixedLimits } from '../limits.ts'
import { MemoryNetwork } from './testing/memory-network.ts'

let network: MemoryNetwork
let old: AgentForTests
let young: AgentForTests
let topicId: string

const common = { settings: { 'drain.redirect.ms': { value: '0', source: 'flag' } }, limits: { slotMoveMs: 3_600_000 } } as const

beforeEach(async () => {
  network = new MemoryNetwork()
  old = await anAgent({ ...common, network, port: 9092, settings: { ...common.settings, 'agent.name': { value: 'old', source: 'flag' } } })
  young = await anAgent({
    ...common,
    network,
    port: 9093,
    beside: old,
    settings: { ...common.settings, 'agent.name': { value: 'young', source: 'flag' } },
  })
  topicId = await old.topic('t', 4)
  // The older agent learns with a heartbeat that another one has joined.
  await old.services.membership.refresh()
  await expect.poll(() => [...old.services.owners.members].length, { timeout: 5_000 }).toBe(2)
})
afterEach(async () => {
  await young[Symbol.asyncDispose]()
  await old[Symbol.asyncDispose]()
})

/** As a planned move does: the giver knows it, and the receiver does not know it yet. */
async function give(slots: readonly number[], from: AgentForTests, to: AgentForTests): Promise<void> {
  const gifts = slots.map((slot) => ({ slot, to: to.services.owners.incarnation.id }))
  const given = await old.metadata.members.give({ incarnation: from.services.owners.incarnation, gifts })
  expect(given).toMatchObject({ kind: 'given', given: slots.length })
  await from.services.membership.refresh()
}

const slotOf = (partition: number): number => slotOfPartition(topicId, partition, old.services.owners.slots)
const slotOfGroup = (group: string): number => slotOfName(group, old.services.owners.slots)

function client(id: number): CallOptions & { readonly close: () => void } {
  const gone = new AbortController()
  return { peer: aPeer({ connectionId: id }), signal: gone.signal, close: () => gone.abort(new Error('gone')) }
}

interface Produced {
  readonly index: number
  readonly errorCode: number
  readonly baseOffset: number
}

async function produce(
  agent: AgentForTests,
  partitions: readonly number[],
  as: CallOptions = client(1),
  acks = -1,
): Promise<readonly Produced[]> {
  const { responses } = await agent.call(
    Produce,
    9,
    {
      acks,
      timeoutMs: 5_000,
      topicData: [{ name: 't', partitionData: partitions.map((index) => ({ index, records: aBatch(['v']) })) }],
    },
    as,
  )
  return responses.flatMap(({ partitionResponses }) =>
    partitionResponses.map(({ index, errorCode, baseOffset }) => ({ index, errorCode, baseOffset })),
  )
}

async function ends(agent: AgentForTests): Promise<readonly number[]> {
  const partitions = [0, 1, 2, 3].map((partitionIndex) => ({ partitionIndex, timestamp: -1 }))
  const { topics } = await agent.call(ListOffsets, 7, { replicaId: -1, topics: [{ name: 't', partitions }] })
  return topics.flatMap((topic) => topic.partitions.map(({ offset }) => offset))
}

test('a Produce at an agent that owns nothing is written by the owner, in the order of the partitions', async () => {
  expect(await produce(young, [2, 0, 3])).toEqual([2, 0, 3].map((index) => ({ index, errorCode: 0, baseOffset: 0 })))
  expect(await produce(young, [0])).toEqual([{ index: 0, errorCode: 0, baseOffset: 1 }])
  expect(await ends(young)).toEqual([2, 0, 1, 1])
  // One connection of a client has one to the owner.
  expect(network.opened).toEqual([9092])
})

test('of a Produce for partitions of both, each writes its own part', async () => {
  await give([slotOf(1)], old, young)
  expect(await produce(old, [0, 1, 2])).toEqual([0, 1, 2].map((index) => ({ index, errorCode: 0, baseOffset: 0 })))
  expect(await produce(young, [0, 1, 2])).toEqual([0, 1, 2].map((index) => ({ index, errorCode: 0, baseOffset: 1 })))
  expect(await ends(old)).toEqual([2, 2, 2, 0])
})

test('a partition that has moved is found, whatever the two agents believe, and a deadline ends the search', async () => {
  // The younger one takes the other one for the owner.
  await give([slotOf(0), slotOf(1)], old, young)
  expect(await produce(young, [0, 1])).toMatchObject([{ errorCode: 0 }, { errorCode: 0 }])
  await give([slotOf(0)], young, old)
  expect(await produce(young, [0, 1])).toMatchObject([{ errorCode: 0 }, { errorCode: 0 }])
  expect(await ends(old)).toEqual([2, 2, 0, 0])
})

test('if the owner cannot be reached, no partition is written, and the error has come late', async () => {
  await give([slotOf(1)], old, young)
  young.agent.kill()
  const since = performance.now()
  expect(await produce(old, [0, 1])).toEqual([0, 1].map((index) => ({ index, errorCode: 6, baseOffset: -1 })))
  expect(performance.now() - since).toBeGreaterThanOrEqual(fixedLimits.holdMs / 2)
  expect((await ends(old))[0]).toBe(0)
})

test('a batch that could not be forwarded ends the connection: the next one of its producer would be a gap in the sequence', async () => {
  await give([slotOf(1)], old, young)
  const { producerId, producerEpoch } = await old.call(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 60_000 })
  let connection = 10
  const sent = (baseSequence: number) => {
    const records = aBatch(['v'], { producer: { id: producerId, epoch: producerEpoch, baseSequence } })
    return old.send(
      Produce,
      9,
      { acks: -1, timeoutMs: 5_000, topicData: [{ name: 't', partitionData: [{ index: 1, records }] }] },
      client((connection += 1)),
    )
  }
  const answered = (errorCode: number) => ({ response: { responses: [{ partitionResponses: [{ errorCode }] }] } })
  expect(await sent(0)).toMatchObject({ thenClose: false, ...answered(0) })
  network.refuses = true
  expect(await sent(1)).toMatchObject({ thenClose: true, ...answered(errors.NOT_LEADER_OR_FOLLOWER.code) })
  network.refuses = false
  // What a client would get whose connection had not ended, and what it gets for the same batches in order.
  expect(await sent(2)).toMatchObject(answered(errors.OUT_OF_ORDER_SEQUENCE_NUMBER.code))
  for (const sequence of [1, 2]) expect(await sent(sequence)).toMatchObject({ thenClose: false, ...answered(0) })
})

test('an answer that is lost is unknown for all partitions, and the connection ends with it', async () => {
  await give([slotOf(1)], old, young)
  const as = client(7)
  network.losesRequests = true
  const answer = await old.send(
    Produce,
    9,
    {
      acks: -1,
      timeoutMs: 5_000,
      topicData: [{ name: 't', partitionData: [0, 1].map((index) => ({ index, records: aBatch(['v']) })) }],
    },
    as,
  )
  expect(answer).toMatchObject({ kind: 'answer', thenClose: true })
  if (answer.kind === 'answer') expect(answer.response.responses[0]?.partitionResponses.map(({ errorCode }) => errorCode)).toEqual([7, 7])
  expect((await ends(old))[0]).toBe(0)
})

test('a commit whose answer is lost ends the connection, because it may be done late; a heartbeat does not', async () => {
  network.losesRequests = true
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: null }] }]
  const commit = young.send(OffsetCommit, 8, { groupId: 'g', memberId: '', topics }, client(8))
  const beat = young.send(Heartbeat, 4, { groupId: 'g', generationId: 1, memberId: 'm' }, client(9))
  const failed = { errorCode: errors.COORDINATOR_NOT_AVAILABLE.code }
  expect(await commit).toMatchObject({ kind: 'answer', thenClose: true, response: { topics: [{ partitions: [failed] }] } })
  expect(await beat).toMatchObject({ kind: 'answer', thenClose: false, response: failed })
})

test('acks = 0 is forwarded, too', async () => {
  const sent = await young.send(
    Produce,
    9,
    { acks: 0, timeoutMs: 5_000, topicData: [{ name: 't', partitionData: [{ index: 0, records: aBatch(['v']) }] }] },
    client(3),
  )
  expect(sent).toEqual({ kind: 'none', close: false })
  expect((await ends(old))[0]).toBe(1)
})

test('records are deleted by the owner of the partition, whichever agent is asked, also after it has moved', async () => {
  await produce(old, [0, 1])
  await produce(old, [0, 1])
  const deletion = (agent: AgentForTests, offset: number): ReturnType<typeof agent.call<typeof DeleteRecords>> => {
    const partitions = [0, 1].map((partitionIndex) => ({ partitionIndex, offset }))
    return agent.call(DeleteRecords, 2, { topics: [{ name: 't', partitions }], timeoutMs: 1_000 }, client(5))
  }
  const answer = (lowWatermark: number) => ({ topics: [{ partitions: [0, 1].map(() => ({ lowWatermark, errorCode: 0 })) }] })
  expect(await deletion(young, 1)).toMatchObject(answer(1))
  // The younger one takes the other one for the owner of both.
  await give([slotOf(1)], old, young)
  expect(await deletion(young, -1)).toMatchObject(answer(2))
  const first = { replicaId: -1, topics: [{ name: 't', partitions: [0, 1].map((partitionIndex) => ({ partitionIndex, timestamp: -2 })) }] }
  for (const agent of [old, young])
    expect(await agent.call(ListOffsets, 7, first)).toMatchObject({ topics: [{ partitions: [{ offset: 2 }, { offset: 2 }] }] })
})

test('records of a partition whose owner cannot be reached are not deleted', async () => {
  await produce(old, [0, 1])
  await give([slotOf(1)], old, young)
  young.agent.kill()
  const topics = [{ name: 't', partitions: [{ partitionIndex: 1, offset: 1 }] }]
  expect(await old.call(DeleteRecords, 2, { topics, timeoutMs: 1_000 }, client(6))).toMatchObject({
    topics: [{ partitions: [{ errorCode: 6 }] }],
  })
})

test('a transactional batch of an old producer is not forwarded: it could become part of the next transaction', async () => {
  const { producerId, producerEpoch } = await old.call(InitProducerId, 4, { transactionalId: 'x', transactionTimeoutMs: 60_000 })
  const batch = aBatch(['v'], {
    producer: { id: producerId, epoch: producerEpoch, baseSequence: 0 },
    attributes: attributeBits.transactional,
  })
  const request = {
    transactionalId: 'x',
    acks: -1,
    timeoutMs: 5_000,
    topicData: [{ name: 't', partitionData: [{ index: 0, records: batch }] }],
  }
  const answer = await young.call(Produce, 9, request, client(4))
  expect(answer.responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: 6 })
})

test('a batch of a partition that is about to move waits until the move is settled', async () => {
  const end = old.services.owners.beginMove(new Set([slotOf(0)]))
  let answered = false
  const producing = produce(old, [0]).finally(() => (answered = true))
  await new Promise((resolve) => setImmediate(resolve))
  expect(answered).toBe(false)
  await give([slotOf(0)], old, young)
  end()
  expect(await producing).toEqual([{ index: 0, errorCode: 0, baseOffset: 0 }])
  expect(network.opened).toEqual([9093])
})

test('a transactional id and a group are served by every agent, and FindCoordinator names the owner', async () => {
  const found = await young.call(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
  expect(found.coordinators?.[0]).toMatchObject({ nodeId: old.agent.brokerId, port: 9092 })
  expect(await young.call(InitProducerId, 4, { transactionalId: 'x', transactionTimeoutMs: 60_000 })).toMatchObject({ errorCode: 0 })
})

test('a member keeps its generation and its offsets when its group moves, while it asks the old coordinator', async () => {
  const member = client(11)
  const join = {
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: new Uint8Array() }],
  }
  const { memberId } = await young.call(JoinGroup, 5, { ...join, memberId: '' }, member)
  const joined = await young.call(JoinGroup, 5, { ...join, memberId }, member)
  expect(joined).toMatchObject({ errorCode: 0, generationId: 1, leader: memberId })
  const assignments = [{ memberId, assignment: Uint8Array.of(7) }]
  const synced = await young.call(SyncGroup, 3, { groupId: 'g', generationId: 1, memberId, assignments }, member)
  expect([synced.errorCode, ...synced.assignment]).toEqual([0, 7])

  await give([slotOfGroup('g')], old, young)
  await young.services.membership.refresh()
  // The client goes on with the old coordinator.
  const beat = { groupId: 'g', generationId: 1, memberId }
  const committed = {
    groupId: 'g',
    generationIdOrMemberEpoch: 1,
    memberId,
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 5, committedMetadata: null }] }],
  }
  expect(await old.call(OffsetCommit, 8, committed, member)).toMatchObject({ topics: [{ partitions: [{ errorCode: 0 }] }] })
  expect(await old.call(Heartbeat, 4, beat, member)).toMatchObject({ errorCode: 0 })
  expect(await young.call(Heartbeat, 4, beat, member)).toMatchObject({ errorCode: 0 })
  for (const agent of [old, young])
    expect(await agent.call(OffsetFetch, 7, { groupId: 'g', topics: null, requireStable: false }, member)).toMatchObject({
      errorCode: 0,
      topics: [{ partitions: [{ committedOffset: 5 }] }],
    })
})

test('the connection to the coordinator ends with that of the client', async () => {
  const one = client(21)
  await young.call(OffsetFetch, 7, { groupId: 'g', topics: null, requireStable: false }, one)
  expect(network.opened).toEqual([9092])
  const open = (): number =>
    old.events.filter(({ kind }) => kind === 'connection opened').length -
    old.events.filter(({ kind }) => kind === 'connection closed').length
  expect(open()).toBe(1)
  one.close()
  await expect.poll(open).toBe(0)
})

test('all agents name the same addresses, whatever address the client connected to', async () => {
  const peer = aPeer({ connectionId: 20, advertised: { host: 'elsewhere', port: 1 } })
  const lists = await Promise.all(
    [old, young].map(async (agent) => (await agent.call(Metadata, 9, { topics: [], allowAutoTopicCreation: false }, { peer })).brokers),
  )
  expect(lists[0]).toHaveLength(2)
  expect(lists[0]).toEqual(lists[1])
  expect(lists[0]?.map(({ host }) => host)).not.toContain('elsewhere')
})

test('an agent that listens everywhere names the address that the client connected to', async () => {
  const { owners } = old.services
  owners.publishMembers(
    [...owners.members].map((member) => ({ ...member, host: member.brokerId === owners.brokerId ? '0.0.0.0' : member.host })),
  )
  const peer = aPeer({ connectionId: 21, advertised: { host: 'elsewhere', port: 1 } })
  const { brokers } = await old.call(Metadata, 9, { topics: [], allowAutoTopicCreation: false }, { peer })
  expect(brokers.find(({ nodeId }) => nodeId === owners.brokerId)).toMatchObject({ host: 'elsewhere', port: 1 })
})

test('Metadata of an agent that has left names the others only', async () => {
  await young.agent.drain()
  await old.services.membership.refresh()
  const { brokers } = await old.call(Metadata, 9, { topics: [], allowAutoTopicCreation: false })
  expect(brokers.map(({ port }) => port)).toEqual([9092])
})
