// Topics over HTTP.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { json } from './testing/json.ts'
import { type ServedForTests, served } from './testing/served.ts'

let server: ServedForTests
beforeAll(async () => {
  server = await served()
})
afterAll(() => server.stop())

const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${server.control}/topics`, { method: 'POST', body, headers })

test('the first curl line creates a topic with 100 partitions and returns it, with the content type that curl sends', async () => {
  const response = await post('{"name":"hello"}', { 'content-type': 'application/x-www-form-urlencoded' })
  expect(response.status).toBe(200)
  const topic = await json(response)
  expect(topic).toEqual({
    name: 'hello',
    id: expect.stringMatching(/^[\w-]{22}$/),
    partitions: 100,
    config: {},
    createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
  })
})

test('a JSON body needs no content type', async () => {
  const response = await server.raw(
    'control',
    `POST /topics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 17\r\n\r\n{"name":"untyped"}`.replace('17', '18'),
  )
  expect(response).toMatch(/^HTTP\/1\.1 200 /)
})

test('PATCH changes single configs, all of them or none', async () => {
  await post('{"name":"patched","partitions":1,"config":{"flush.ms":1,"segment.ms":2}}')
  const patch = async (body: string) => await fetch(`${server.control}/topics/patched`, { method: 'PATCH', body })
  const changed = await patch('{"config":{"flush.ms":null,"max.message.bytes":2048,"preallocate":true}}')
  expect(changed.status).toBe(200)
  const config = { 'segment.ms': '2', 'max.message.bytes': '2048', preallocate: 'true' }
  expect(await changed.json()).toMatchObject({ name: 'patched', config })
  const wrong = await patch('{"config":{"segment.ms":3,"flush.ms":-1}}')
  expect(wrong.status).toBe(400)
  expect(JSON.stringify(await wrong.json())).toMatch(/InvalidConfigurationException.*Value must be at least 0/)
  expect(await (await fetch(`${server.control}/topics/patched`)).json()).toMatchObject({ config })
  expect((await fetch(`${server.control}/topics/absent`, { method: 'PATCH', body: '{"config":{"flush.ms":1}}' })).status).toBe(404)
  expect((await patch('{}')).status).toBe(400)
})

test('the records before an offset are deleted, and the answer has the new start', async () => {
  await post('{"name":"shortened","partitions":2}')
  for (const value of ['a', 'b', 'c']) await fetch(`${server.data}/topics/shortened/produce/0`, { method: 'POST', body: value })
  const path = `${server.control}/topics/shortened/delete-records`
  const deletion = async (body: object) => await fetch(path, { method: 'POST', body: JSON.stringify(body) })
  expect(await json(deletion({ partition: 0, beforeOffset: 2 }))).toEqual({ topic: 'shortened', partition: 0, logStartOffset: 2 })
  expect((await fetch(`${server.data}/topics/shortened/messages/0?offset=1`)).status).toBe(416)
  expect(await json(deletion({ partition: 0, beforeOffset: -1 }))).toMatchObject({ logStartOffset: 3 })
  expect((await deletion({ partition: 1, beforeOffset: 1 })).status).toBe(416)
  expect((await deletion({ partition: 2, beforeOffset: 0 })).status).toBe(404)
  expect((await deletion({ beforeOffset: 0 })).status).toBe(400)
})

test('a topic is compacted on request, if its cleanup.policy says so', async () => {
  await post('{"name":"latest","partitions":1,"config":{"cleanup.policy":"compact"}}')
  await post('{"name":"all","partitions":1}')
  const compaction = async (topic: string) => await fetch(`${server.control}/topics/${topic}/compact`, { method: 'POST' })
  expect(await json(compaction('latest'))).toEqual({ topic: 'latest' })
  const rejected = await compaction('all')
  expect([rejected.status, await json(rejected)]).toMatchObject([
    409,
    { error: 'PolicyViolationException', message: expect.stringContaining('cleanup.policy') },
  ])
  expect((await compaction('none')).status).toBe(404)
})

test('a deleted topic is brought back by its id, unless its name is taken', async () => {
  const { id } = await json<{ readonly id: string }>(await post('{"name":"mistake","partitions":1}'))
  const undelete = async () => await fetch(`${server.control}/topics/${id}/undelete`, { method: 'POST' })
  expect((await undelete()).status).toBe(404)
  await fetch(`${server.data}/topics/mistake/produce/0`, { method: 'POST', body: 'kept' })
  await fetch(`${server.control}/topics/mistake`, { method: 'DELETE' })
  await post('{"name":"mistake","partitions":1}')
  expect((await undelete()).status).toBe(409)
  const { topics } = await json<{ readonly topics: readonly unknown[] }>(await fetch(`${server.control}/deleted-topics`))
  expect(topics).toMatchObject([{ name: 'mistake', id, partitions: 1, deletedAt: expect.any(String), purgeAt: expect.any(String) }])
  await fetch(`${server.control}/topics/mistake`, { method: 'DELETE' })
  expect(await json(undelete())).toMatchObject({ name: 'mistake', id })
  expect(await (await fetch(`${server.data}/topics/mistake/messages/0?offset=0`)).text()).toContain('kept')
})

test('partitions and configs are stored, and shown with their effective values', async () => {
  const response = await post('{"name":"wide","partitions":3,"config":{"message.timestamp.type":"LogAppendTime","max.message.bytes":2048}}')
  expect(await json(response)).toMatchObject({
    partitions: 3,
    config: { 'message.timestamp.type': 'LogAppendTime', 'max.message.bytes': '2048' },
  })
  const shown = await json(fetch(`${server.control}/topics/wide`))
  expect(shown.effectiveConfig).toContainEqual({
    name: 'max.message.bytes',
    value: '2048',
    source: 'DYNAMIC_TOPIC_CONFIG',
    type: 'int',
    doc: expect.any(String),
  })
  expect(shown.effectiveConfig).toContainEqual({
    name: 'cleanup.policy',
    value: 'delete',
    source: 'DEFAULT_CONFIG',
    type: 'list',
    doc: expect.any(String),
  })
})

test('an existing name is a 409 that describes the existing topic', async () => {
  await post('{"name":"twice","partitions":2}')
  const response = await post('{"name":"twice"}')
  expect(response.status).toBe(409)
  expect(await json(response)).toEqual({
    error: 'TopicAlreadyExistsException',
    error_code: 409,
    kafka: { code: 36, name: 'TOPIC_ALREADY_EXISTS' },
    message: expect.stringMatching(/^Topic 'twice' already exists \(2 partitions, created \d+ s ago\)\.$/),
    hint: 'Use GET /topics/twice to see it, or DELETE it first.',
    docs: '/errors/TopicAlreadyExistsException',
    request_id: response.headers.get('x-request-id'),
  })
})

test.each([
  ['{"name":"no spaces"}', 'InvalidTopicException', /other than ASCII alphanumerics/],
  ['{"name":""}', 'InvalidTopicException', /empty/],
  ['{"name":"x","partitions":0}', 'InvalidPartitionsException', /at least 1/],
  ['{"name":"x","partitions":-1}', 'InvalidPartitionsException', /-1/],
  ['{"name":"x","partitions":1000000}', 'InvalidPartitionsException', /at most/],
  ['{"name":"x","partitions":1.5}', 'InvalidRequestException', /'partitions' must be a whole number/],
  ['{"name":"x","partitions":"3"}', 'InvalidRequestException', /'partitions' must be a whole number/],
  ['{"name":"x","config":{"remote.storage.enable":"true"}}', 'InvalidConfigurationException', /Tiered Storage functionality is disabled/],
  ['{"name":"x","config":{"no.such":"1"}}', 'InvalidConfigurationException', /no\.such/],
  ['{"name":"x","config":{"retention.ms":{}}}', 'InvalidRequestException', /retention\.ms/],
  ['{"name":"__consumer_offsets"}', 'InvalidRequestException', /internal topic __consumer_offsets is prohibited/],
  ['{"name":7}', 'InvalidRequestException', /'name' must be a string/],
  ['{}', 'InvalidRequestException', /'name' is missing/],
  ['{"name":"x","patitions":3}', 'InvalidRequestException', /no member 'patitions'/],
  ['{"name":', 'InvalidRequestException', /not valid JSON/],
  ['[]', 'InvalidRequestException', /JSON object/],
  ['', 'InvalidRequestException', /JSON/],
  ['{"name":"x","__proto__":{"partitions":3}}', 'InvalidRequestException', /not valid JSON/],
])('the body %s is a 400 with the reason', async (body, error, message) => {
  const response = await post(body)
  expect(response.status).toBe(400)
  const problem = await json(response)
  expect(problem).toMatchObject({ error, error_code: 400 })
  expect(problem.message).toMatch(message)
})

test('topics are listed by name, and no longer after they are deleted', async () => {
  await post('{"name":"b-listed","partitions":1}')
  await post('{"name":"a-listed","partitions":1}')
  const names = async (): Promise<string[]> => {
    const { topics } = await json(fetch(`${server.control}/topics`))
    return topics.map(({ name }) => name).filter((name) => name.endsWith('-listed'))
  }
  expect(await names()).toEqual(['a-listed', 'b-listed'])
  const deleted = await fetch(`${server.control}/topics/a-listed`, { method: 'DELETE' })
  expect(deleted.status).toBe(200)
  expect(await json(deleted)).toMatchObject({ name: 'a-listed' })
  expect(await names()).toEqual(['b-listed'])
  expect((await fetch(`${server.control}/topics/a-listed`)).status).toBe(404)
  expect((await fetch(`${server.control}/topics/a-listed`, { method: 'DELETE' })).status).toBe(404)
})

test('a page of another site cannot create a topic, nor can a name that was rebound to this address', async () => {
  const fromPage = await post('{"name":"evil"}', { origin: 'https://evil.example' })
  expect(fromPage.status).toBe(403)
  expect(await json(fromPage)).toMatchObject({ error: 'ForeignOriginException' })
  const rebound = await server.raw(
    'control',
    'POST /topics HTTP/1.1\r\nHost: evil.example:8000\r\nConnection: close\r\nContent-Length: 15\r\n\r\n{"name":"evil"}',
  )
  expect(rebound).toMatch(/^HTTP\/1\.1 403 /)
  expect((await fetch(`${server.control}/topics/evil`)).status).toBe(404)
})

test('a body of more than 64 KiB is rejected', async () => {
  const response = await post(`{"name":"${'x'.repeat(70_000)}"}`)
  expect(response.status).toBe(413)
})

test('the 404 of the produce path on the control plane has the URL on the data plane', async () => {
  const response = await fetch(`${server.control}/topics/hello/produce/0`, { method: 'POST', body: 'key:value' })
  expect(response.status).toBe(404)
  expect((await json(response)).message).toContain(`${server.data}/topics/hello/produce/0`)
})

test('GET /topics counts records and bytes on request', async () => {
  await post('{"name":"counted","partitions":2}')
  for (const partition of [0, 1, 1]) await fetch(`${server.data}/topics/counted/produce/${partition}`, { method: 'POST', body: 'value' })
  const counted = async (query: string): Promise<object | undefined> =>
    (await json(fetch(`${server.control}/topics${query}`))).topics.find(({ name }) => name === 'counted')
  expect(await counted('')).not.toHaveProperty('records')
  const records = await counted('?counts=records')
  expect(records).toMatchObject({ records: 3 })
  expect(records).not.toHaveProperty('bytes')
  const sizes = await counted('?counts=bytes')
  expect(sizes).toMatchObject({ records: 3, bytes: expect.any(Number) })
  expect((await fetch(`${server.control}/topics?counts=all`)).status).toBe(400)
  await fetch(`${server.control}/topics/counted/delete-records`, { method: 'POST', body: '{"partition":1,"beforeOffset":1}' })
  expect(await counted('?counts=records')).toMatchObject({ records: 2 })
  const shown = async (query: string): Promise<object> => await json(fetch(`${server.control}/topics/counted${query}`))
  expect(await shown('?counts=bytes')).toMatchObject({ records: 2, bytes: expect.any(Number) })
  expect(await shown('')).not.toHaveProperty('records')
})

test('the partitions of a topic have their offsets, bytes and newest timestamp', async () => {
  await post('{"name":"parted","partitions":2}')
  await fetch(`${server.data}/topics/parted/produce`, { method: 'POST', body: '{"value":"v","partition":1,"timestamp":7}' })
  const { partitions } = await json<{ readonly partitions: readonly object[] }>(fetch(`${server.control}/topics/parted/partitions`))
  expect(partitions).toEqual([
    { partition: 0, logStartOffset: 0, highWatermark: 0, lastStableOffset: 0, bytes: 0, newest: null },
    { partition: 1, logStartOffset: 0, highWatermark: 1, lastStableOffset: 1, bytes: expect.any(Number), newest: expect.any(Number) },
  ])
  const page = async (from: string): Promise<readonly object[]> =>
    (await json<{ readonly partitions: readonly object[] }>(fetch(`${server.control}/topics/parted/partitions?from=${from}`))).partitions
  expect(await page('1')).toMatchObject([{ partition: 1 }])
  expect(await page('2')).toEqual([])
  expect((await fetch(`${server.control}/topics/parted/partitions?from=-1`)).status).toBe(400)
  expect((await fetch(`${server.control}/topics/absent/partitions`)).status).toBe(404)
})

test('a dry run checks a change of configs and returns its result, but changes nothing', async () => {
  await post('{"name":"tried","partitions":1}')
  const patch = async (config: object) =>
    await fetch(`${server.control}/topics/tried`, { method: 'PATCH', body: JSON.stringify({ config, dryRun: true }) })
  expect(await json(patch({ 'flush.ms': 9 }))).toMatchObject({ config: { 'flush.ms': '9' } })
  expect((await patch({ 'flush.ms': -1 })).status).toBe(400)
  expect(await json(fetch(`${server.control}/topics/tried`))).toMatchObject({ config: {} })
})
