// The rules of every handler: it answers and rejects in each of its versions, and it checks the client's rights.
import {
  AddPartitionsToTxn,
  type Api,
  ApiVersions,
  ConsumerGroupHeartbeat,
  CreatePartitions,
  DeleteTopics,
  DescribeAcls,
  DescribeCluster,
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  ElectLeaders,
  encodeRequest,
  encodeResponse,
  errors,
  ListGroups,
  ListTransactions,
  SaslAuthenticate,
  SaslHandshake,
  UnregisterBroker,
} from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import type { Gate } from './gate.ts'
import { handlers } from './index.ts'
import type { Operation } from './request-context.ts'
import { type AgentForTests, anAgent } from './testing/an-agent.ts'
import { sampleOf, withGroups, withTransaction } from './testing/samples.ts'
import { smallRequests } from './testing/small-requests.ts'

/** Every client that may connect may send these. */
const open: readonly Api[] = [ApiVersions, DescribeCluster, SaslHandshake, SaslAuthenticate]
/** These always answer an error, which every client shows: the server has neither SASL nor the consumer protocol, no authorizer, nothing to elect, and no broker 77. */
const always: ReadonlyMap<Api, number> = new Map<Api, number>([
  [SaslHandshake, errors.ILLEGAL_SASL_STATE.code],
  [SaslAuthenticate, errors.ILLEGAL_SASL_STATE.code],
  [ConsumerGroupHeartbeat, errors.UNSUPPORTED_VERSION.code],
  [DescribeAcls, errors.SECURITY_DISABLED.code],
  [ElectLeaders, errors.ELECTION_NOT_NEEDED.code],
  [UnregisterBroker, errors.BROKER_ID_NOT_REGISTERED.code],
])

const rejections = {
  none: errors.NONE,
  cluster: errors.CLUSTER_AUTHORIZATION_FAILED,
  topic: errors.TOPIC_AUTHORIZATION_FAILED,
  group: errors.GROUP_AUTHORIZATION_FAILED,
  'transactional id': errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}

const versionsOf = ({ versions: [min, max] }: Api): readonly number[] => Array.from({ length: max - min + 1 }, (_, at) => min + at)
const cases = handlers.flatMap(({ api }) => versionsOf(api).map((version) => ({ name: api.name, version, api })))

/** An agent with everything that the samples name. */
async function prepared(): Promise<{ readonly kafka: AgentForTests; readonly topicId: string; readonly memberId: string }> {
  const kafka = await anAgent()
  const topicId = await kafka.topic('t')
  for (const { api, version } of cases) {
    if (api === DeleteTopics) await kafka.topic(`gone-${version}`)
    if (api === CreatePartitions) await kafka.topic(`grown-${version}`)
  }
  const memberId = await withGroups(kafka)
  await withTransaction(kafka)
  return { kafka, topicId, memberId }
}

function errorCodesIn(response: unknown): readonly number[] {
  if (Array.isArray(response)) return response.flatMap(errorCodesIn)
  if (typeof response !== 'object' || response === null || ArrayBuffer.isView(response)) return []
  return Object.entries(response).flatMap(([name, value]) =>
    /^(?:partition)?errorCode$/i.test(name) ? [Number(value)] : errorCodesIn(value),
  )
}

test('there is one handler per API, and every API of the protocol package has one', () => {
  expect(new Set(handlers.map(({ api }) => api.key)).size).toBe(handlers.length)
  expect([...smallRequests.keys()].map(({ name }) => name).toSorted()).toEqual(handlers.map(({ api }) => api.name).toSorted())
})

test.each(cases)('$name $version answers', async ({ api, version }) => {
  const { kafka, topicId, memberId } = await prepared()
  await using _ = kafka
  const response = await kafka.call(api, version, sampleOf(api, version, topicId, memberId))
  expect(kafka.events.filter(({ kind }) => kind === 'defect' || kind === 'protocol error')).toEqual([])
  const codes = errorCodesIn(response)
  const error = always.get(api)
  expect(codes.filter((code) => code !== 0)).toEqual(error === undefined ? [] : [error])
})

test.each(cases)('$name $version can be rejected as a whole', ({ api, version }) => {
  const handler = handlers.find((candidate) => candidate.api === api)
  const header = { version, correlationId: 7, clientId: null }
  const frame = Buffer.concat(encodeRequest(api, header, sampleOf(api, version, 'AAAAAAAAAAAAAAAAAAAAAQ'))).subarray(4)
  const request = decodeRequest(api, version, frame, decodeRequestHeader(frame).bodyAt)
  const rejected = handler?.reject(request, { code: errors.KAFKA_STORAGE_ERROR.code, message: 'away' }, version)
  if (rejected === undefined) throw new Error(`no handler for ${api.name}`)
  const { response } = decodeResponse(api, version, Buffer.concat(encodeResponse(api, version, 7, rejected)).subarray(4))
  expect(errorCodesIn(response)).toContain(errors.KAFKA_STORAGE_ERROR.code)
})

test.each(handlers.map(({ api, access }) => ({ name: api.name, api, access })))('$name asks the gate', async ({ api, access }) => {
  const { kafka, topicId, memberId } = await prepared()
  await using _ = kafka
  const asked: { readonly operation: Operation; readonly type: string }[] = []
  let throttled = 0
  const gate: Gate = {
    authorize: (_context, operation, { type }) => {
      asked.push({ operation, type })
      return false
    },
    throttle: () => {
      throttled += 1
      return 0
    },
  }
  // Newer versions of AddPartitionsToTxn are for brokers.
  const version = api === AddPartitionsToTxn ? 3 : api.versions[1]
  const response = await kafka.call(api, version, sampleOf(api, version, topicId, memberId), { services: { gate } })
  expect(throttled).toBe(1)
  if (open.includes(api)) {
    expect(access.resource).toBe('none')
    return
  }
  expect(asked).toContainEqual({ operation: access.operation, type: access.resource.toUpperCase().replace(' ', '_') })
  const codes = errorCodesIn(response).filter((code) => code !== 0)
  // The answer leaves out, without an error, whatever the client may not see.
  if (api === ListGroups || api === ListTransactions) {
    expect(response).toMatchObject(api === ListGroups ? { errorCode: 0, groups: [] } : { errorCode: 0, transactionStates: [] })
    return
  }
  const rejection = rejections[access.resource]
  expect(codes).toEqual([rejection.code])
})
