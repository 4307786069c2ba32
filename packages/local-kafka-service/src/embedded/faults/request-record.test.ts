// The record of requests is bounded, keeps errors longer than requests, and attributes errors to their causes.
import type { InterceptedRequest } from '@local-kafka-service/agent'
import { expect, test } from 'vitest'
import { RequestRecord } from './request-record.ts'

function asked(more: Partial<InterceptedRequest> = {}): InterceptedRequest {
  return {
    api: 'ListGroups',
    version: 4,
    client: { id: 'c', software: { name: 'kcat', version: '1.7.1' }, address: '10.0.0.9', connectionId: 3 },
    atMs: Date.UTC(2026, 0, 1, 12, 4, 11, 120),
    topics: [],
    groups: [],
    nameOf: (topicId) => (topicId === 'id' ? 'orders' : undefined),
    body: {},
    ...more,
  }
}

const answered = (response: object) => ({ outcome: 'answered', response, durationMs: 1, serviceFault: undefined }) as const
const notLeader = 6

test('the last 2,000 requests are kept, and an error outlives busy polls', () => {
  const record = new RequestRecord()
  record.begin(asked({ api: 'Produce', topics: ['orders'], body: { acks: -1, topicData: [], transactionalId: null } })).settled(
    answered({
      responses: [{ topicId: 'id', name: '', partitionResponses: [{ index: 7, errorCode: notLeader, errorMessage: 'It moved.' }] }],
    }),
  )
  for (let at = 0; at < 5_000; at += 1) record.begin(asked({ version: at % 5 })).settled(answered({ errorCode: 0 }))
  expect(record.requests()).toHaveLength(2_000)
  expect(record.requests().at(-1)?.version).toBe(4)
  expect(record.requests({ api: 'Produce' })).toEqual([])
  const line = '12:04:11.120 c (kcat 1.7.1) Produce 4 orders[7]: NOT_LEADER_OR_FOLLOWER, It moved.'
  expect(record.lastErrors(10)).toEqual([line])
  expect(() => record.expectNoErrors()).toThrow(line)
})

test('an expected error of the protocol is recorded, but not reported', () => {
  const record = new RequestRecord()
  const memberIdRequired = 79
  record.begin(asked({ api: 'JoinGroup', groups: ['g'], body: { protocols: [] } })).settled(answered({ errorCode: memberIdRequired }))
  expect(record.requests()).toMatchObject([{ groupId: 'g', errors: [{ error: 'MEMBER_ID_REQUIRED' }] }])
  expect(record.lastErrors(10)).toEqual([])
  record.expectNoErrors()
})

test('an error that a fault caused is attributed to it, also below the protocol, and the last errors name the fault', () => {
  const record = new RequestRecord()
  const spoilt = record.begin(asked())
  spoilt.touchedBy('fail ListGroups NOT_COORDINATOR')
  spoilt.settled(answered({ errorCode: 16 }))
  record.begin(asked()).settled({ ...answered({ errorCode: 15 }), serviceFault: 'metadata: disconnect' })
  record.expectNoErrors()
  expect(record.lastErrors(10)).toEqual([
    '12:04:11.120 c (kcat 1.7.1) ListGroups 4 NOT_COORDINATOR (fail ListGroups NOT_COORDINATOR)',
    '12:04:11.120 c (kcat 1.7.1) ListGroups 4 COORDINATOR_NOT_AVAILABLE (metadata: disconnect)',
  ])
  // An unavailable store does not excuse an error that no store can cause.
  record.begin(asked()).settled({ ...answered({ errorCode: 24 }), serviceFault: 'metadata: disconnect' })
  expect(() => record.expectNoErrors()).toThrow('INVALID_GROUP_ID')
})

test('many errors are counted, and only the last ones are shown', () => {
  const record = new RequestRecord()
  for (let at = 0; at < 30; at += 1) record.begin(asked()).settled(answered({ errorCode: 24 }))
  expect(() => record.expectNoErrors()).toThrow(/^30 errors that no fault caused:\n {2}… 10 more before these\n/)
})

test('a connection closed instead of an answer is an error, unless a fault closed it', () => {
  const record = new RequestRecord()
  const closed = { outcome: 'closed', response: undefined, durationMs: 1, serviceFault: undefined } as const
  const faulty = record.begin(asked())
  faulty.touchedBy('disconnect ListGroups')
  faulty.settled(closed)
  record.expectNoErrors()
  record.begin(asked()).settled(closed)
  expect(() => record.expectNoErrors()).toThrow('the connection was closed instead of an answer')
})

test('C10: an unserved request is listed with the name of its API, and is an error', () => {
  const record = new RequestRecord()
  const { client, atMs } = asked()
  const notServed = (api: string, version: number) =>
    record.notServed({ atMs, client, connectionId: 3, request: { api, version }, message: `${api} ${version} is not served` })
  notServed('Fetch', 3)
  notServed('DescribeAcls', 2)
  notServed('API 999', 0)
  expect(record.requests().map(({ api, version, outcome }) => [api, version, outcome])).toEqual([
    ['Fetch', 3, 'closed'],
    ['DescribeAcls', 2, 'closed'],
    ['API 999', 0, 'closed'],
  ])
  expect(record.requests({ api: 'DescribeAcls' })).toMatchObject([
    { clientId: 'c', software: 'kcat 1.7.1', connection: 3, summary: 'DescribeAcls 2 is not served' },
  ])
  expect(() => record.expectNoErrors()).toThrow('c (kcat 1.7.1) Fetch 3 was rejected: Fetch 3 is not served; the connection was closed')
})
