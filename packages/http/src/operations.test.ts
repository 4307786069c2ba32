// Liveness, readiness, metrics and the pages about the server itself.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { problems } from './problem.ts'
import { json } from './testing/json.ts'
import { type ServedForTests, served } from './testing/served.ts'

let server: ServedForTests
beforeAll(async () => {
  server = await served()
})
afterAll(() => server.stop())

test.each(['control', 'data'] as const)('the %s plane answers probes, metrics, its version and its description', async (plane) => {
  const get = (path: string): Promise<Response> => fetch(`${server[plane]}${path}`)
  expect(await json(get('/livez'))).toEqual({ status: 'ok' })
  expect(await json(get('/readyz'))).toEqual({ status: 'ready', reasons: [] })
  const metrics = await get('/metrics')
  expect(metrics.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  expect(await metrics.text()).toMatch(/^# HELP lks_/m)
  expect(await json(get('/version'))).toEqual({
    version: '0.0.0-test',
    clusterId: server.agent.clusterId,
    brokerId: server.agent.brokerId,
    kafka: null,
  })
  expect(await json(get('/openapi.json'))).toMatchObject({ openapi: '3.1.0' })
  const docs = await get('/docs')
  expect(docs.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(await docs.text()).toContain('/topics/{topic}/produce/{partition}')
})

test('each address serves both planes', async () => {
  for (const { host, port } of server.addresses) {
    expect((await fetch(`http://${host.includes(':') ? `[${host}]` : host}:${port}/livez`)).status).toBe(200)
  }
  expect(server.addresses.map(({ host }) => host)).toEqual(['127.0.0.1', '::1', '127.0.0.1', '::1'])
})

test('the control plane lists the main URLs at /', async () => {
  expect(await json(fetch(server.control))).toMatchObject({
    topics: `${server.control}/topics`,
    docs: `${server.control}/docs`,
    produce: `${server.data}/topics/{topic}/produce/{partition}`,
  })
})

test('an agent that is not ready reports the reason', async () => {
  await using own = await served()
  own.setHealth({ ready: false, reasons: ['the Metadata Service has not answered for 7 s'] })
  const response = await fetch(`${own.control}/readyz`)
  expect(response.status).toBe(503)
  expect(await json(response)).toEqual({ status: 'not ready', reasons: ['the Metadata Service has not answered for 7 s'] })
  expect((await fetch(`${own.control}/livez`)).status).toBe(200)
})

test('H1: an agent that found damage is ready but degraded, and reports the place', async () => {
  await using own = await served()
  const reasons = ['partition 0 of topic t is damaged at offsets 10 to 19, in object o: it is gone']
  own.setHealth({ ready: true, reasons })
  const response = await fetch(`${own.control}/readyz`)
  expect(response.status).toBe(200)
  expect(await json(response)).toEqual({ status: 'degraded', reasons })
})

test('an agent that drains is not ready, but still answers', async () => {
  await using own = await served()
  own.http.drain()
  const response = await fetch(`${own.data}/readyz`)
  expect(response.status).toBe(503)
  expect((await json(response)).reasons).toEqual(['the HTTP planes are stopping'])
  expect((await fetch(`${own.control}/topics`)).status).toBe(200)
})

test('a stop completes requests in progress, and then nothing listens', async () => {
  const own = await served()
  await own.topic('hello', 1)
  const waiting = fetch(`${own.data}/topics/hello/messages/0?offset=latest&timeout=30000`)
  await own.waitsForRecords()
  await own.stop()
  expect(await json(waiting)).toMatchObject({ records: [], next: 0 })
  await expect(fetch(`${own.data}/livez`)).rejects.toThrow()
})

test('every error has a page at the path in its body', async () => {
  for (const row of Object.values(problems)) {
    const response = await fetch(`${server.control}/errors/${row.error}`)
    expect(response.status).toBe(200)
    expect(await json(response)).toMatchObject({ error: row.error, error_code: row.status, meaning: row.meaning })
  }
  expect((await fetch(`${server.control}/errors/Nope`)).status).toBe(404)
})

test.each(['/', '/livez', '/readyz', '/metrics', '/openapi.json', '/docs', '/topics', '/nothing', '/errors/x'])(
  '%s rejects a foreign Origin and a foreign Host',
  async (path) => {
    const response = await fetch(`${server.control}${path}`, { headers: { origin: 'https://evil.example' } })
    expect(response.status).toBe(403)
    expect(await server.raw('control', `GET ${path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 403 /,
    )
  },
)

test('a request with an allowed host name is answered', async () => {
  await using own = await served({ allowedHosts: ['host.docker.internal'] })
  expect(await own.raw('data', 'GET /livez HTTP/1.1\r\nHost: host.docker.internal:8123\r\nConnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1\.1 200 /,
  )
})

test('every request has a unique id, in the header and in a problem', async () => {
  const [a, b] = await Promise.all([fetch(`${server.data}/nothing`), fetch(`${server.data}/nothing`)])
  const ids = [a.headers.get('x-request-id'), b.headers.get('x-request-id')]
  expect(ids[0]).not.toBe(ids[1])
  expect((await json(a)).request_id).toBe(ids[0])
})

test('the gate checks the operation of every route that shows or changes anything', async () => {
  await using own = await served({ reject: true })
  for (const [method, url] of [
    ['POST', `${own.control}/topics`],
    ['GET', `${own.control}/topics`],
    ['GET', `${own.control}/topics/hello`],
    ['DELETE', `${own.control}/topics/hello`],
    ['GET', `${own.control}/metrics`],
    ['POST', `${own.data}/topics/hello/produce/0`],
    ['GET', `${own.data}/topics/hello/messages/0`],
    ['GET', `${own.data}/topics/hello/messages`],
  ] as const) {
    const response = await fetch(url, { method, ...(method === 'POST' && { body: '{"name":"hello"}' }) })
    expect(response.status).toBe(403)
    expect(await json(response)).toMatchObject({ error: 'TopicAuthorizationException' })
  }
  expect(own.asked).toEqual([
    'CREATE TOPIC hello',
    `DESCRIBE CLUSTER ${own.agent.clusterId}`,
    'DESCRIBE TOPIC hello',
    'DELETE TOPIC hello',
    `DESCRIBE CLUSTER ${own.agent.clusterId}`,
    'WRITE TOPIC hello',
    'READ TOPIC hello',
    'READ TOPIC hello',
  ])
})

test('a client over its quota gets the time to wait', async () => {
  await using own = await served({ throttleMs: 1_500 })
  const response = await fetch(`${own.control}/topics`)
  expect(response.status).toBe(429)
  expect(response.headers.get('retry-after')).toBe('2')
})

test("another agent's partition is a 307 to its data plane if that is known, otherwise a 503 that names the agent", async () => {
  await using known = await served({
    elsewhere: { brokerId: 7, agent: 'agent-7', host: 'kafka7', port: 9092, dataUrl: 'http://agent7:8123' },
  })
  await known.topic('hello', 1)
  const moved = await fetch(`${known.data}/topics/hello/produce/0`, { method: 'POST', body: 'k:v', redirect: 'manual' })
  expect(moved.status).toBe(307)
  expect(moved.headers.get('location')).toBe('http://agent7:8123/topics/hello/produce/0')
  expect(await json(moved)).toMatchObject({
    error: 'Moved',
    error_code: 307,
    slot: 0,
    agent: 'agent-7',
    location: 'http://agent7:8123/topics/hello/produce/0',
    leader: { brokerId: 7, agent: 'agent-7', kafka: 'kafka7:9092', url: 'http://agent7:8123' },
  })
  const read = await fetch(`${known.data}/topics/hello/messages/0?offset=0`, { redirect: 'manual' })
  expect([read.status, await json(read)]).toMatchObject([200, { records: [] }])

  await using unknown = await served({ elsewhere: { brokerId: 7, agent: 'agent-7', host: 'kafka7', port: 9092 } })
  await unknown.topic('hello', 1)
  const rejected = await fetch(`${unknown.data}/topics/hello/produce/0`, { method: 'POST', body: 'k:v' })
  expect(rejected.status).toBe(503)
  expect(rejected.headers.get('retry-after')).toBe('1')
  expect((await json(rejected)).message).toBe("Partition 0 of topic 'hello' is owned by agent agent-7 (broker 7).")
})

test('a busy default port is replaced by another and reported; a busy requested port is an error that names it', async () => {
  const busy = Number(new URL(server.control).port)
  await using moved = await served({ control: { hosts: ['127.0.0.1', '::1'], port: busy, movable: true } })
  expect(moved.http.control.movedFrom).toBe(busy)
  expect(moved.http.control.port).toBeGreaterThan(busy)
  await expect(served({ control: { hosts: ['127.0.0.1', '::1'], port: busy, movable: false } })).rejects.toMatchObject({
    name: 'PortError',
    kind: 'busy',
    port: busy,
  })
})

test('headers of more than 16 KiB are rejected', async () => {
  const answer = await server.raw('control', `GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)
  expect(answer).toMatch(/^HTTP\/1\.1 431 /)
})
