// Reading and querying messages over HTTP.
import { attributeBits, batchLayout, buildBatch, crc32c } from '@local-kafka-service/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodeCodecs as codecs } from '../../agent/src/codecs.ts'
import { type JsonAnswer, json } from './testing/json.ts'
import { type ServedForTests, served } from './testing/served.ts'

let server: ServedForTests
beforeAll(async () => {
  server = await served()
})
afterAll(() => server.stop())

const get = async (
  path: string,
  headers: Record<string, string> = {},
): Promise<{ readonly status: number; readonly headers: Headers; readonly body: JsonAnswer }> => {
  const response = await fetch(`${server.data}${path}`, { headers })
  return { status: response.status, headers: response.headers, body: await json(response) }
}
const produce = async (topic: string, partition: number, body: string): Promise<JsonAnswer> => {
  const response = await fetch(`${server.data}/topics/${topic}/produce/${partition}`, { method: 'POST', body })
  expect(response.status).toBe(200)
  return json(response)
}
const values = (records: JsonAnswer['records']): (string | null)[] => records.map(({ value }) => value)

test('a partition is read page by page: next is the offset of the next page, also as a link', async () => {
  await server.topic('paged', 1)
  for (const value of ['a', 'b', 'c', 'd', 'e']) await produce('paged', 0, `k:${value}`)
  const first = await get('/topics/paged/messages/0?limit=2')
  expect(first.status).toBe(200)
  expect(first.body).toMatchObject({ topic: 'paged', partition: 0, next: 2, logStartOffset: 0, highWatermark: 5 })
  expect(first.body.records[0]).toEqual({ partition: 0, offset: 0, timestamp: expect.any(Number), key: 'k', value: 'a', headers: [] })
  expect(first.headers.get('link')).toBe('</topics/paged/messages/0?limit=2&offset=2>; rel="next"')
  const second = await get('/topics/paged/messages/0?limit=2&offset=2')
  expect(values(second.body.records)).toEqual(['c', 'd'])
  const last = await get(`/topics/paged/messages/0?offset=${second.body.next}`)
  expect(values(last.body.records)).toEqual(['e'])
  expect(await get('/topics/paged/messages/0?offset=5')).toMatchObject({ body: { records: [], next: 5 } })
})

test('an offset may be earliest, latest, or counted from the end', async () => {
  await server.topic('ends', 1)
  for (const value of ['a', 'b', 'c']) await produce('ends', 0, value)
  expect(values((await get('/topics/ends/messages/0?offset=earliest')).body.records)).toEqual(['a', 'b', 'c'])
  expect(values((await get('/topics/ends/messages/0?offset=-2')).body.records)).toEqual(['b', 'c'])
  expect(values((await get('/topics/ends/messages/0?offset=-99')).body.records)).toEqual(['a', 'b', 'c'])
  expect((await get('/topics/ends/messages/0?offset=latest')).body).toMatchObject({ records: [], next: 3 })
})

test('an offset after the end is a 416 with the range of the partition', async () => {
  await server.topic('short', 1)
  await produce('short', 0, 'a')
  const beyond = await get('/topics/short/messages/0?offset=7')
  expect(beyond.status).toBe(416)
  expect(beyond.body).toMatchObject({ error: 'OffsetOutOfRangeException', kafka: { code: 1 }, earliest: 0, latest: 1 })
})

test('max_bytes limits keys and values; the answer has one record however large it is', async () => {
  await server.topic('bytes', 1)
  for (let i = 0; i < 4; i++) await produce('bytes', 0, `k:${'x'.repeat(99)}`)
  expect((await get('/topics/bytes/messages/0?max_bytes=250')).body).toMatchObject({ next: 2 })
  expect((await get('/topics/bytes/messages/0?max_bytes=1')).body).toMatchObject({ next: 1 })
})

test('timeout waits for a record, and the answer comes as soon as there is one', async () => {
  await server.topic('waited', 1)
  const waiting = get('/topics/waited/messages/0?offset=latest&timeout=20000')
  await produce('waited', 0, 'now')
  expect(values((await waiting).body.records)).toEqual(['now'])
})

test('the answer is empty if there is no record in time', async () => {
  await server.topic('silent', 1)
  expect((await get('/topics/silent/messages/0?timeout=30')).body).toMatchObject({ records: [], next: 0 })
})

test.each([
  ['/topics/nope/messages/0', 404, /no topic 'nope'/],
  ['/topics/nope/messages', 404, /no topic 'nope'/],
  ['/topics/known/messages/1', 404, /no partition 1/],
  ['/topics/known/messages/x', 400, /'partition' must be a whole number/],
  ['/topics/known/messages/0?offset=first', 400, /'offset' must be a whole number, 'earliest'/],
  ['/topics/known/messages/0?offset=1.5', 400, /'offset'/],
  ['/topics/known/messages/0?limit=0', 400, /'limit' must be >= 1/],
  ['/topics/known/messages/0?limit=1000000', 400, /'limit' must be <= 10000/],
  ['/topics/known/messages/0?limit=1&limit=2', 400, /'limit' must be a whole number/],
  ['/topics/known/messages/0?max_bytes=-1', 400, /'max_bytes'/],
  ['/topics/known/messages/0?timeout=1e9', 400, /'timeout'/],
  ['/topics/known/messages/0?from=3', 400, /no query parameter 'from'/],
  ['/topics/known/messages?where=x', 400, /no query parameter 'where'/],
  ['/topics/known/messages?since=yesterday', 400, /'since' must be milliseconds/],
  ['/topics/known/messages?until=2030-01-31T12:00:00', 400, /'until' must be milliseconds/],
  ['/topics/known/messages?cursor=x', 400, /'cursor' is not a valid cursor/],
])('GET %s is a %i', async (path, status, message) => {
  await server.topic('known', 1)
  const response = await get(path)
  expect(response.status).toBe(status)
  expect(response.body.message).toMatch(message)
})

test('a topic is queried by key over all partitions, and the answer has the scanned offsets', async () => {
  await server.topic('keyed', 5)
  for (let partition = 0; partition < 5; partition++) {
    await produce('keyed', partition, `a:${partition}`)
    await produce('keyed', partition, `b:${partition}`)
  }
  const found = await get('/topics/keyed/messages?key=b')
  expect(new Set(values(found.body.records))).toEqual(new Set(['0', '1', '2', '3', '4']))
  expect(found.body).toMatchObject({ complete: true, cursor: null })
  expect(found.body.scanned).toEqual([0, 1, 2, 3, 4].map((partition) => ({ partition, from: 0, to: 2, end: 2 })))
  expect(found.headers.get('link')).toBeNull()
})

test('a query of 100 partitions continues by its cursor until the scan is complete, and returns no record twice', async () => {
  await server.topic('hundred', 100)
  for (let i = 0; i < 30; i++) await produce('hundred', (i * 7) % 100, `k:${i}`)
  const seen: (string | null)[] = []
  let path: string | undefined = '/topics/hundred/messages?key=k&limit=7'
  let pages = 0
  while (path !== undefined) {
    const page = await get(path)
    expect(page.body.records.length).toBeLessThanOrEqual(7)
    seen.push(...values(page.body.records))
    path = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1]
    expect(page.body.complete).toBe(path === undefined)
    pages += 1
  }
  expect(pages).toBeGreaterThanOrEqual(5)
  expect(seen.map(Number).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i))
})

test('between partitions the older record comes first', async () => {
  await server.topic('ordered', 3)
  for (const [index, partition] of [2, 0, 1, 2, 0].entries()) {
    await produce('ordered', partition, `${index}`)
    // Two records may have the same millisecond; the order is by time.
    await server.nextMillisecond()
  }
  expect(values((await get('/topics/ordered/messages')).body.records)).toEqual(['0', '1', '2', '3', '4'])
})

test('since (inclusive) and until (exclusive) limit the time, as milliseconds or as ISO 8601', async () => {
  await server.topic('timed', 2)
  const stamps: number[] = []
  for (let i = 0; i < 4; i++) {
    stamps.push((await produce('timed', i % 2, `${i}`)).timestamp)
    await server.nextMillisecond()
  }
  const [, second = 0, , fourth = 0] = stamps
  expect(values((await get(`/topics/timed/messages?since=${second}&until=${fourth}`)).body.records)).toEqual(['1', '2'])
  expect(values((await get(`/topics/timed/messages?since=${new Date(second).toISOString()}`)).body.records)).toEqual(['1', '2', '3'])
  expect((await get(`/topics/timed/messages?since=${fourth + 60_000}`)).body).toMatchObject({ records: [], complete: true })
})

test('a query does not return records that are produced between its pages', async () => {
  await server.topic('moving', 1)
  for (const value of ['a', 'b']) await produce('moving', 0, value)
  const first = await get('/topics/moving/messages?limit=1')
  await produce('moving', 0, 'c')
  const second = await get(`/topics/moving/messages?limit=10&cursor=${first.body.cursor}`)
  expect(values(second.body.records)).toEqual(['b'])
  expect(second.body.complete).toBe(true)
})

test('the cursor of a topic that was deleted and created again is a 404', async () => {
  await server.topic('reborn', 1)
  for (const value of ['a', 'b']) await produce('reborn', 0, value)
  const { body } = await get('/topics/reborn/messages?limit=1')
  await fetch(`${server.control}/topics/reborn`, { method: 'DELETE' })
  await server.topic('reborn', 1)
  const again = await get(`/topics/reborn/messages?cursor=${body.cursor}`)
  expect(again.status).toBe(404)
  expect(again.body.error).toBe('UnknownTopicIdException')
})

test('a query ends even if its cursor has ends beyond the real ones', async () => {
  await server.topic('claimed', 1)
  await produce('claimed', 0, 'a')
  const { id } = await json(fetch(`${server.control}/topics/claimed`))
  expect((await get(`/topics/claimed/messages?cursor=${id}.0.0.zzz`)).body).toMatchObject({ complete: true })
  expect((await get(`/topics/claimed/messages?cursor=${id}.zz.0.1`)).body).toMatchObject({ complete: true, records: [] })
})

test('NDJSON is one record per line, for a partition and for a topic', async () => {
  await server.topic('lines', 1)
  await produce('lines', 0, 'k:a\nb')
  await produce('lines', 0, 'k:c')
  for (const path of ['/topics/lines/messages/0', '/topics/lines/messages']) {
    const response = await fetch(`${server.data}${path}`, { headers: { accept: 'application/x-ndjson' } })
    expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8')
    const lines = (await response.text()).trimEnd().split('\n')
    expect(values(lines.map((line) => JSON.parse(line) as JsonAnswer['records'][number]))).toEqual(['a\nb', 'c'])
  }
})

test('a record has the codec of its batch, and says that it was produced in a transaction', async () => {
  await server.topic('marked', 1)
  const batch = (value: string, more: Partial<Parameters<typeof buildBatch>[0]>): Uint8Array =>
    buildBatch(
      { baseTimestamp: 1, records: [{ offsetDelta: 0, timestamp: 1, key: null, value: Buffer.from(value), headers: [] }], ...more },
      crc32c,
    )
  await server.append('marked', 0, batch('plain', {}))
  await server.append('marked', 0, batch('in gzip', { compression: { codec: 'gzip', codecs } }))
  await server.append('marked', 0, batch('in a transaction', { attributes: attributeBits.transactional }))
  const { records } = (await get('/topics/marked/messages')).body
  const common = { partition: 0, timestamp: 1, key: null, headers: [] }
  expect(records).toEqual([
    { ...common, offset: 0, value: 'plain' },
    { ...common, offset: 1, value: 'in gzip', compression: 'gzip' },
    { ...common, offset: 2, value: 'in a transaction', transactional: true },
  ])
})

test('batches that could not be decoded are named in every form of an answer', async () => {
  await server.topic('undecodable', 1)
  await produce('undecodable', 0, 'k:a')
  await server.append('undecodable', 0, undecodable())
  await produce('undecodable', 0, 'k:c')
  for (const path of ['/topics/undecodable/messages/0', '/topics/undecodable/messages']) {
    const { records, unreadable } = (await get(path)).body
    expect(values(records)).toEqual(['a', 'c'])
    expect(unreadable).toEqual([{ partition: 0, from: 1, to: 1, message: expect.any(String) }])
    const lines = await (await fetch(`${server.data}${path}`, { headers: { accept: 'application/x-ndjson' } })).text()
    expect(
      lines
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
    ).toEqual([...records, { unreadable }])
  }
})

test.each([
  ['*/*', 200, 'application/json'],
  ['text/html, application/x-ndjson;q=0.9, */*;q=0.1', 200, 'application/x-ndjson'],
  ['application/*', 200, 'application/json'],
  ['application/json;q=0.5, application/x-ndjson', 200, 'application/x-ndjson'],
  ['image/png', 406, 'application/json'],
  ['application/json;q=0', 406, 'application/json'],
])('Accept: %s is answered %i with %s', async (accept, status, type) => {
  await server.topic('accepted', 1)
  const response = await fetch(`${server.data}/topics/accepted/messages`, { headers: { accept } })
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toContain(type)
})

/** A whole batch with the right checksum, whose only record says that it is longer than the batch. */
function undecodable(): Uint8Array {
  const record = { offsetDelta: 0, timestamp: 1, key: null, value: Buffer.from('b'), headers: [] }
  const batch = buildBatch({ baseTimestamp: 1, records: [record] }, crc32c)
  batch[batchLayout.records] = 0x7e
  new DataView(batch.buffer, batch.byteOffset).setUint32(batchLayout.crc, crc32c(batch.subarray(batchLayout.attributes)))
  return batch
}
