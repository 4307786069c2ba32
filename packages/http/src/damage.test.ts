// Damaged storage over HTTP, in front of a whole agent: the list, the check with its progress, and the skip.
import { Fetch, Produce } from '@local-kafka-service/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentForTests, aBatch, anAgent } from '../../agent/src/api/testing/an-agent.ts'
import { MemoryObjects } from '../../agent/src/objects/adapters/memory.ts'
import { type HttpServers, serveHttp } from './serve.ts'
import { json } from './testing/json.ts'

const store = new MemoryObjects()
let kafka: AgentForTests
let http: HttpServers
beforeAll(async () => {
  kafka = await anAgent({ wrap: () => store, settings: { 'cache.bytes': { value: '0', source: 'flag' } } })
  const port = { hosts: ['127.0.0.1'], port: 0, movable: false }
  http = await serveHttp(kafka.agent, { control: port, data: port, allowedHosts: [], version: '0.0.0-test' })
})
afterAll(async () => {
  await http.stop()
  await kafka[Symbol.asyncDispose]()
})

const call = (method: string, path: string, body?: object): Promise<Response> =>
  fetch(`${http.control.url}${path}`, { method, ...(body && { body: JSON.stringify(body) }) })

test('a check finds a lost object, a preview changes nothing, and after the skip the records after it are read', async () => {
  await kafka.topic('t')
  for (const value of ['one', 'two', 'three']) {
    const partitionData = [{ index: 0, records: aBatch([value]) }]
    await kafka.call(Produce, 9, { acks: -1, timeoutMs: 1000, topicData: [{ name: 't', partitionData }] })
  }
  expect((await call('GET', '/storage/check')).status).toBe(404)
  expect((await call('DELETE', '/storage/check')).status).toBe(404)
  expect(await json(await call('GET', '/storage/damage'))).toEqual({ damage: [], skipped: [] })
  const lost: string[] = []
  for await (const { key } of store.list('')) if (Buffer.from(await store.read(key)).includes('two')) lost.push(key)
  await store.remove(lost)

  const began = await call('POST', '/storage/check')
  expect(began.status).toBe(200)
  expect(await json(began)).toMatchObject({ state: 'running', endedAt: null, message: null })
  const check = async () => (await json(await call('GET', '/storage/check'))) as Readonly<Record<string, unknown>>
  await expect.poll(async () => (await check())['state']).toBe('complete')
  expect(await check()).toMatchObject({ objects: { checked: 3, total: 3 }, damagedObjects: 1, harmlessObjects: 0 })
  const range = { topic: 't', partition: 0, offset: 1, lastOffset: 1, object: lost[0], kind: 'missing' }
  expect(await json(await call('GET', '/storage/damage'))).toMatchObject({ damage: [range], skipped: [] })

  const skip = (body: object): Promise<Response> => call('POST', '/topics/t/skip-damaged', body)
  expect(await json(await skip({}))).toMatchObject({ topic: 't', applied: false, ranges: [range] })
  expect(await json(await call('GET', '/readyz'))).toMatchObject({ status: 'degraded' })
  expect(await json(await skip({ partition: 0, offset: 1, apply: true }))).toMatchObject({ applied: true, ranges: [range] })
  expect(await json(await call('GET', '/readyz'))).toEqual({ status: 'ready', reasons: [] })
  const { kind: _, ...skipped } = range
  expect(await json(await call('GET', '/storage/damage'))).toMatchObject({ damage: [], skipped: [skipped] })
  const partitions = [{ partition: 0, fetchOffset: 1, partitionMaxBytes: 1_000_000 }]
  const { responses } = await kafka.call(Fetch, 12, { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 't', partitions }] })
  expect(Buffer.from(responses[0]?.partitions[0]?.records ?? []).includes('three')).toBe(true)
})

test('a wrong request is explained', async () => {
  expect((await call('POST', '/topics/absent/skip-damaged', {})).status).toBe(404)
  for (const body of [{ offset: 3 }, { partition: -1 }, { all: true }]) {
    const response = await call('POST', '/topics/t/skip-damaged', body)
    expect(response.status).toBe(400)
  }
  const data = await fetch(`${http.data.url}/storage/damage`)
  expect(data.status).toBe(404)
  expect(JSON.stringify(await json(data))).toContain(`${http.control.url}/storage/damage`)
})
