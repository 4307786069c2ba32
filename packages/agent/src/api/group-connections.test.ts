// Members and their connections, as real clients use them: a member that moves to another connection stays, and a killed one leaves soon.
import { encodeSubscription, errors, Heartbeat, JoinGroup, type KafkaErrorName, LeaveGroup, SyncGroup } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { type AgentForTests, anAgent, aPeer, type CallOptions } from './testing/an-agent.ts'

const codeOf = (name: KafkaErrorName): number => errors[name].code
const subscription = { topics: ['t'], userData: null, ownedPartitions: [], generationId: -1, rackId: null }
const joining = {
  groupId: 'g',
  sessionTimeoutMs: 30_000,
  rebalanceTimeoutMs: 30_000,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: encodeSubscription(subscription, 1) }],
}

let opened = 0

/** A connection of a client, which a test can close. */
class AConnection {
  readonly #gone = new AbortController()
  readonly as: CallOptions = { peer: aPeer({ connectionId: (opened += 1) }), signal: this.#gone.signal }

  close(): void {
    this.#gone.abort(new Error('the connection is gone'))
  }
}

type Joined = { readonly memberId: string; readonly generationId: number; readonly leader: string; readonly errorCode: number }

/** Like kafka-go 0.4.51: these versions, no LeaveGroup between generations, and one connection for each generation. */
function join(kafka: AgentForTests, memberId: string, { as }: AConnection): Promise<Joined> {
  return kafka.call(JoinGroup, 2, { ...joining, memberId }, as)
}

async function sync(kafka: AgentForTests, { memberId, generationId, leader }: Joined, { as }: AConnection): Promise<number> {
  const assignments = leader === memberId ? [{ memberId, assignment: new Uint8Array(0) }] : []
  const { errorCode } = await kafka.call(SyncGroup, 0, { groupId: 'g', generationId, memberId, assignments }, as)
  return errorCode
}

async function heartbeat(kafka: AgentForTests, { memberId, generationId }: Joined, { as }: AConnection): Promise<number> {
  const { errorCode } = await kafka.call(Heartbeat, 0, { groupId: 'g', generationId, memberId }, as)
  return errorCode
}

test('C2: a member that closes its connection after a generation joins again over the next one, with its id', async () => {
  const sessionClock = new ManualClock()
  await using kafka = await anAgent({ sessionClock })
  const one = new AConnection()
  const first = await join(kafka, '', one)
  expect(await sync(kafka, first, one)).toBe(0)
  one.close()
  await sessionClock.advance(100)
  const two = new AConnection()
  const again = await join(kafka, first.memberId, two)
  expect(again).toMatchObject({ errorCode: 0, memberId: first.memberId, generationId: 2 })
  expect(await sync(kafka, again, two)).toBe(0)
})

test('C2: two members that open a connection for each generation settle in one generation', async () => {
  const sessionClock = new ManualClock()
  await using kafka = await anAgent({ sessionClock })
  const [one, two, three, four] = [new AConnection(), new AConnection(), new AConnection(), new AConnection()]
  const alone = await join(kafka, '', one)
  expect(await sync(kafka, alone, one)).toBe(0)
  const second = join(kafka, '', two)
  await sessionClock.advance(3_000)
  expect(await heartbeat(kafka, alone, one)).toBe(codeOf('REBALANCE_IN_PROGRESS'))
  one.close()
  const [leader, follower] = await Promise.all([join(kafka, alone.memberId, three), second])
  expect([leader.generationId, follower.generationId]).toEqual([2, 2])
  expect(await Promise.all([sync(kafka, leader, three), sync(kafka, follower, two)])).toEqual([0, 0])
  // A process that closes all its connections and opens new ones.
  two.close()
  await sessionClock.advance(1_000)
  expect(await heartbeat(kafka, follower, four)).toBe(0)
  for (let beats = 0; beats < 20; beats++) {
    await sessionClock.advance(3_000)
    expect([await heartbeat(kafka, leader, three), await heartbeat(kafka, follower, four)]).toEqual([0, 0])
  }
})

test('C2: a member whose process was killed leaves after 2 s, and the next one has the group to itself', async () => {
  const sessionClock = new ManualClock()
  await using kafka = await anAgent({ sessionClock })
  const [killed, next] = [new AConnection(), new AConnection()]
  const dead = await join(kafka, '', killed)
  expect(await sync(kafka, dead, killed)).toBe(0)
  killed.close()
  await sessionClock.advance(500)
  const joined = join(kafka, '', next)
  await sessionClock.advance(1_500)
  const alone = await joined
  expect(alone).toMatchObject({ errorCode: 0, generationId: 2 })
  expect(alone.leader).toBe(alone.memberId)
  expect(await heartbeat(kafka, dead, next)).toBe(codeOf('UNKNOWN_MEMBER_ID'))
})

test('C2: a member that sends LeaveGroup over another connection leaves at once', async () => {
  await using kafka = await anAgent({ sessionClock: new ManualClock() })
  const [one, two] = [new AConnection(), new AConnection()]
  const member = await join(kafka, '', one)
  expect(await sync(kafka, member, one)).toBe(0)
  one.close()
  expect(await kafka.call(LeaveGroup, 0, { groupId: 'g', memberId: member.memberId }, two.as)).toMatchObject({ errorCode: 0 })
  expect(await kafka.services.groups.ask('g', { kind: 'describe' })).toMatchObject({ state: 'Empty' })
})
