// Producing one record over HTTP.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type JsonAnswer, json } from './testing/json.ts'
import { type ServedForTests, served } from './testing/served.ts'

let server: ServedForTests
beforeAll(async () => {
  server = await served()
  await server.topic('hello', 4)
})
afterAll(() => server.stop())

const produce = (
  body: string | Uint8Array<ArrayBuffer>,
  options: { readonly to?: string; readonly headers?: Record<string, string> } = {},
): Promise<Response> =>
  fetch(`${server.data}/topics/${options.to ?? 'hello/produce/0'}`, { method: 'POST', body, headers: options.headers ?? {} })

/** Reads the record that was just produced. */
async function read(partition: number, offset: number): Promise<JsonAnswer['records'][number] | undefined> {
  const response = await fetch(`${server.data}/topics/hello/messages/${partition}?offset=${offset}&limit=1`)
  const { records } = await json(response)
  return records[0]
}

test('the second curl line stores a record and answers its place', async () => {
  const response = await produce('key:value', { headers: { 'content-type': 'application/x-www-form-urlencoded' }, to: 'hello/produce/3' })
  expect(response.status).toBe(200)
  const answer = await json(response)
  expect(answer).toEqual({ topic: 'hello', partition: 3, offset: 0, timestamp: expect.any(Number), key: 'key' })
  expect(await read(3, 0)).toMatchObject({ key: 'key', value: 'value', timestamp: answer.timestamp })
})

test.each([
  ['key:value', 'key', 'value'],
  ['a:b:c', 'a', 'b:c'],
  ['no colon', null, 'no colon'],
  [':value', '', 'value'],
  ['key:', 'key', ''],
  [':', '', ''],
  ['k:1+1=2&x=%20%2B;#?', 'k', '1+1=2&x=%20%2B;#?'],
  ['k:a\0b', 'k', 'a\0b'],
  ['ключ:значение 🙂', 'ключ', 'значение 🙂'],
  ['k:line\r\nline\n', 'k', 'line\r\nline\n'],
  ['{"json":true}', '{"json"', 'true}'],
])('the body %j is the key %j and the value %j', async (body, key, value) => {
  const { offset } = await json(produce(body))
  expect(await read(0, offset)).toMatchObject({ key, value })
})

test('bytes that are not text are stored unchanged', async () => {
  const { offset } = await json(produce(Uint8Array.of(0xff, 0x3a, 0x00, 0x3a, 0xfe)))
  expect(await read(0, offset)).toMatchObject({ key: '/w==', keyEncoding: 'base64', value: 'ADr+', valueEncoding: 'base64' })
})

test.each(['application/json', 'text/plain; charset=latin1', 'multipart/form-data', 'no type', 'a/b/c;;', '*/*'])(
  'the content type %j has no effect',
  async (type) => {
    const response = await produce('k:{"a":+1}', { headers: { 'content-type': type } })
    expect(response.status).toBe(200)
    expect(await read(0, (await json(response)).offset)).toMatchObject({ key: 'k', value: '{"a":+1}' })
  },
)

test('a missing content type has no effect either, whole or chunked', async () => {
  const whole = await server.raw(
    'data',
    'POST /topics/hello/produce/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 3\r\n\r\na:1',
  )
  expect(whole).toMatch(/^HTTP\/1\.1 200 /)
  const chunked = await server.raw(
    'data',
    'POST /topics/hello/produce/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na:\r\n1\r\n2\r\n0\r\n\r\n',
  )
  expect(chunked).toMatch(/^HTTP\/1\.1 200 /)
  expect([(await read(1, 0))?.value, (await read(1, 1))?.value]).toEqual(['1', '2'])
})

test('a body of 1,023 bytes is accepted, one of 1,024 is a 413, even in chunks', async () => {
  expect((await produce('x'.repeat(1023))).status).toBe(200)
  const tooLarge = await produce('x'.repeat(1024))
  expect(tooLarge.status).toBe(413)
  expect(await json(tooLarge)).toMatchObject({
    error: 'RecordTooLargeException',
    kafka: { code: 10, name: 'MESSAGE_TOO_LARGE' },
    message: 'The body is larger than 1023 bytes.',
  })
  const half = `200\r\n${'x'.repeat(0x200)}\r\n`
  const head = 'POST /topics/hello/produce/0 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n'
  expect(await server.raw('data', `${head}${half}${half}0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /)
})

test('an empty body is an empty value without a key', async () => {
  const response = await fetch(`${server.data}/topics/hello/produce/0`, { method: 'POST' })
  expect(response.status).toBe(200)
  expect(await read(0, (await json(response)).offset)).toMatchObject({ key: null, value: '' })
})

test.each([
  ['nope/produce/0', 404, 'UnknownTopicOrPartitionException', /no topic 'nope'/],
  ['hello/produce/4', 404, 'UnknownTopicOrPartitionException', /no partition 4: its partitions are 0 to 3/],
  ['hello/produce/99999999999', 404, 'UnknownTopicOrPartitionException', /no partition/],
  ['hello/produce/x', 400, 'InvalidRequestException', /'partition' must be a whole number/],
  ['hello/produce/-1', 400, 'InvalidRequestException', /'partition'/],
  ['hello/produce/0?key=1', 400, 'InvalidRequestException', /no query parameter 'key'/],
  ['hello%20x/produce/0', 400, 'InvalidTopicException', /other than ASCII/],
])('POST %s is a %i', async (to, status, error, message) => {
  const response = await produce('k:v', { to })
  expect(response.status).toBe(status)
  const problem = await json(response)
  expect(problem).toMatchObject({ error, error_code: status })
  expect(problem.message).toMatch(message)
})

test('producing to a missing topic does not create it', async () => {
  await produce('k:v', { to: 'never-made/produce/0' })
  expect((await fetch(`${server.control}/topics/never-made`)).status).toBe(404)
})

test('a body with a Content-Encoding is rejected, not stored unchanged', async () => {
  const response = await produce('k:v', { headers: { 'content-encoding': 'gzip' } })
  expect(response.status).toBe(415)
})

test('an Idempotency-Key stores a record once and repeats the first answer', async () => {
  const headers = { 'idempotency-key': 'order-1' }
  const first = await produce('k:once', { headers })
  const answer = await json(first)
  expect(first.headers.get('idempotent-replay')).toBeNull()
  const again = await produce('k:once', { headers: { 'idempotency-key': '"order-1"' } })
  expect(again.status).toBe(200)
  expect(again.headers.get('idempotent-replay')).toBe('true')
  expect(await json(again)).toEqual(answer)
  const after = await json(produce('k:next'))
  expect(after.offset).toBe(answer.offset + 1)
})

test('an Idempotency-Key with another body, another split or another partition is a 422', async () => {
  const headers = { 'idempotency-key': 'order-2' }
  expect((await produce('k:one', { headers })).status).toBe(200)
  for (const again of [produce('k:two', { headers }), produce('k:one', { headers, to: 'hello/produce/1' }), produce('kone', { headers })]) {
    const response = await again
    expect(response.status).toBe(422)
    expect(await json(response)).toMatchObject({ error: 'IdempotencyKeyReusedException' })
  }
})

test('two concurrent requests with the same Idempotency-Key store one record, and both get its place', async () => {
  const responses = await Promise.all(Array.from({ length: 8 }, () => produce('k:race', { headers: { 'idempotency-key': 'race' } })))
  const answers = await Promise.all(responses.map(json))
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  expect(responses.filter((response) => response.headers.get('idempotent-replay') === null)).toHaveLength(1)
})

test.each(['', '"', 'ü', 'x'.repeat(256), 'a"b'])('the Idempotency-Key %j is a 400', async (key) => {
  const response = await server.raw(
    'data',
    `POST /topics/hello/produce/0 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nIdempotency-Key: ${key}\r\nContent-Length: 1\r\n\r\nx`,
  )
  expect(response).toMatch(/^HTTP\/1\.1 400 /)
})

test('a form from a page of another site is rejected, and nothing is stored', async () => {
  const before = await json(produce('k:before'))
  const response = await produce('k:evil', {
    headers: { origin: 'https://evil.example', 'content-type': 'application/x-www-form-urlencoded' },
  })
  expect(response.status).toBe(403)
  expect((await json(produce('k:after'))).offset).toBe(before.offset + 1)
})

test('each concurrent record gets its own offset', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => produce(`k:${index}`, { to: 'hello/produce/2' }).then(json)))
  expect(new Set(answers.map(({ offset }) => offset)).size).toBe(50)
})

test('while the object store is unavailable a record is a 503 with Retry-After, and later records are stored', async () => {
  await using faulty = await served({ putsFail: true })
  await faulty.topic('hello', 1)
  const response = await fetch(`${faulty.data}/topics/hello/produce/0`, { method: 'POST', body: 'k:v' })
  expect(response.status).toBe(503)
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await json(response)).toMatchObject({ error: 'NotEnoughReplicasException', error_code: 503 })
  faulty.heal()
  await expect.poll(async () => (await fetch(`${faulty.data}/topics/hello/produce/0`, { method: 'POST', body: 'k:v' })).status).toBe(200)
})

test.each([
  ['{"a":1}', '{"a"', undefined],
  ['key:value', 'key', undefined],
  ['no colon', null, undefined],
  [Uint8Array.of(0xff, 0x3a, 0x01), '/w==', 'base64'],
])('N12: the answer to %j shows the key', async (body, key, keyEncoding) => {
  const answer = await json(produce(body))
  expect(answer).toMatchObject({ key })
  expect(answer.keyEncoding).toBe(keyEncoding)
})

test.each(['application/json', 'Application/JSON; charset=utf-8'])('N12: JSON sent as %s is a value without a key', async (type) => {
  for (const body of ['{"a":1}', '[1,":"]', '"a:b"']) {
    const { offset, key } = await json(produce(body, { headers: { 'content-type': type } }))
    expect(key).toBeNull()
    expect(await read(0, offset)).toMatchObject({ key: null, value: body })
  }
})

test('N12: a body that is not JSON is split, whatever its content type; so is JSON with another content type', async () => {
  for (const [body, type] of [
    ['key:value', 'application/json'],
    ['key:value', 'application/x-www-form-urlencoded'],
    ['{"a":1}', 'application/x-www-form-urlencoded'],
    ['{"a":1}', 'application/jsonlines'],
  ] as const)
    expect((await json(produce(body, { headers: { 'content-type': type } }))).key).toBe(body.slice(0, body.indexOf(':')))
})
