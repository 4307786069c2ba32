// The last minutes over HTTP, in front of a whole agent: who asked what, which errors the answers had, and the phases of the last flushes.
import { Produce } from '@local-kafka-service/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentForTests, aBatch, anAgent } from '../../agent/src/api/testing/an-agent.ts'
import { type HttpServers, serveHttp } from './serve.ts'
import { json } from './testing/json.ts'

let kafka: AgentForTests
let http: HttpServers
beforeAll(async () => {
  kafka = await anAgent()
  const port = { hosts: ['127.0.0.1'], port: 0, movable: false }
  http = await serveHttp(kafka.agent, { control: port, data: port, allowedHosts: [], version: '0.0.0-test' })
  await kafka.topic('t')
  const produce = async (name: string): Promise<unknown> =>
    await kafka.call(Produce, 9, {
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name, partitionData: [{ index: 0, records: aBatch(['one']) }] }],
    })
  await produce('t')
  await produce('no/name')
})
afterAll(async () => {
  await http.stop()
  await kafka[Symbol.asyncDispose]()
})

const get = async (path: string): Promise<unknown> => await json(await fetch(`${http.control.url}${path}`))

test('requests are listed with their client, times and errors', async () => {
  const { minutes, requests } = (await get('/requests?minutes=10')) as { readonly minutes: number; readonly requests: readonly object[] }
  expect(minutes).toBe(10)
  expect(requests.find((row) => 'api' in row && row.api === 'Produce')).toMatchObject({
    others: false,
    requests: 2,
    bytesIn: expect.any(Number),
    p50Ms: expect.any(Number),
    errors: [{ error: 'UNKNOWN_TOPIC_OR_PARTITION', count: 1, subject: null, message: null, lastAt: expect.stringMatching(/^\d{4}-.*Z$/) }],
  })
})

test('the last flushes are listed with their phases', async () => {
  const { flushes } = (await get('/flushes')) as { readonly flushes: readonly object[] }
  const phases = { openMs: expect.any(Number), storeMs: expect.any(Number), waitMs: expect.any(Number), commitMs: expect.any(Number) }
  expect(flushes).toMatchObject([{ ...phases, batches: 1, partitions: 1, sizeBytes: expect.any(Number), failure: null }])
})

test.each(['0', '11', '5.5', 'all'])('minutes=%s is rejected', async (minutes) => {
  const response = await fetch(`${http.control.url}/requests?minutes=${minutes}`)
  expect([response.status, await json(response)]).toMatchObject([400, { error: 'InvalidRequestException' }])
})
