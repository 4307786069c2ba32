// The newest messages of a topic over HTTP, and the search by text and age.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type JsonAnswer, json } from './testing/json.ts'
import { type ServedForTests, served } from './testing/served.ts'

let server: ServedForTests
beforeAll(async () => {
  server = await served()
})
afterAll(() => server.stop())

const get = (path: string): Promise<JsonAnswer> => json(fetch(`${server.data}${path}`))
const values = ({ records }: JsonAnswer): (string | null)[] => records.map(({ value }) => value)

/** Record `n` has the timestamp 1,000 + n, and is in partition n % partitions. */
async function produce(
  topic: string,
  count: number,
  { partitions, value = String }: { readonly partitions: number; readonly value?: (n: number) => string },
): Promise<void> {
  const lines = Array.from({ length: count }, (_, n) =>
    JSON.stringify({ value: value(n), partition: n % partitions, timestamp: 1_000 + n }),
  )
  const response = await fetch(`${server.data}/topics/${topic}/produce`, { method: 'POST', body: lines.join('\n') })
  expect(response.status).toBe(200)
}

test('order=desc begins with the newest record of all partitions, and cursors lead back to the first one, each record once', async () => {
  await server.topic('newest', 3)
  await produce('newest', 100, { partitions: 3 })
  const found: (string | null)[] = []
  let pages = 0
  for (let cursor: string | null = ''; cursor !== null; pages++) {
    const page: JsonAnswer = await get(`/topics/newest/messages?order=desc&limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`)
    expect(page.complete).toBe(page.cursor === null)
    found.push(...values(page))
    cursor = page.cursor
  }
  expect(found).toEqual(Array.from({ length: 100 }, (_, n) => String(99 - n)))
  expect(pages).toBe(15)
})

test('records that arrive between two pages are not in the second one', async () => {
  await server.topic('growing', 1)
  await produce('growing', 4, { partitions: 1 })
  const first = await get('/topics/growing/messages?order=desc&limit=2')
  await produce('growing', 1, { partitions: 1, value: () => 'late' })
  expect(values(await get(`/topics/growing/messages?order=desc&limit=2&cursor=${first.cursor}`))).toEqual(['1', '0'])
})

test('an empty topic is complete at once', async () => {
  await server.topic('empty', 2)
  expect(await get('/topics/empty/messages?order=desc')).toMatchObject({ records: [], complete: true, cursor: null })
})

test('a text is found in the key, the value and the values of headers, far back too', async () => {
  await server.topic('texts', 2)
  await fetch(`${server.data}/topics/texts/produce`, {
    method: 'POST',
    body: [
      '{"key":"the-Needle","value":"1"}',
      '{"value":"a Needle here"}',
      '{"value":"3","headers":[{"key":"h","value":"Needle"}]}',
      '{"key":"Needle","value":null}',
      '{"value":"needle"}',
    ].join('\n'),
  })
  await produce('texts', 3_000, { partitions: 2 })
  for (const order of ['asc', 'desc']) {
    const { records, complete } = await get(`/topics/texts/messages?text=Needle&order=${order}`)
    expect(records).toHaveLength(4)
    expect(complete).toBe(true)
  }
})

test('since may be an age, which ends now', async () => {
  await server.topic('ages', 1)
  const at = (ageMs: number): string => JSON.stringify({ value: `${ageMs}`, timestamp: Date.now() - ageMs })
  await fetch(`${server.data}/topics/ages/produce`, { method: 'POST', body: [at(7_200_000), at(600_000), at(0)].join('\n') })
  expect(values(await get('/topics/ages/messages?since=1h'))).toEqual(['600000', '0'])
  expect(values(await get('/topics/ages/messages?since=1h&order=desc'))).toEqual(['0', '600000'])
  expect(values(await get('/topics/ages/messages?until=30m'))).toEqual(['7200000'])
  expect(values(await get('/topics/ages/messages?since=1d'))).toHaveLength(3)
  expect(await get('/topics/ages/messages?since=1y')).toMatchObject({
    error: 'InvalidRequestException',
    message: expect.stringContaining('1h'),
  })
})

test('large records do not exceed the answer, and none is lost between pages', async () => {
  await server.topic('large', 1)
  for (let n = 0; n < 40; n++) {
    const line = JSON.stringify({ value: `${n}:${'x'.repeat(700_000)}`, partition: 0, timestamp: 1_000 + n })
    expect((await fetch(`${server.data}/topics/large/produce`, { method: 'POST', body: line })).status).toBe(200)
  }
  const found: number[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: JsonAnswer = await get(`/topics/large/messages?order=desc&limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`)
    expect(page.message).toBeUndefined()
    expect(page.records.length).toBeGreaterThan(0)
    expect(page.records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)).toBeLessThan(17 * 1024 * 1024)
    found.push(...page.records.map(({ value }) => Number(value?.split(':')[0])))
    cursor = page.cursor
  }
  expect(found).toEqual(Array.from({ length: 40 }, (_, n) => 39 - n))
})

test('a text is found among large records, wherever it is', async () => {
  await server.topic('large-texts', 1)
  for (let n = 0; n < 24; n++) {
    const line = JSON.stringify({ value: `${n % 3 === 0 ? 'Needle' : ''}${n}:${'x'.repeat(700_000)}`, partition: 0 })
    expect((await fetch(`${server.data}/topics/large-texts/produce`, { method: 'POST', body: line })).status).toBe(200)
  }
  const found: (string | undefined)[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: JsonAnswer = await get(`/topics/large-texts/messages?order=desc&text=Needle${cursor === '' ? '' : `&cursor=${cursor}`}`)
    found.push(...page.records.map(({ value }) => value?.split(':')[0]))
    cursor = page.cursor
  }
  expect(found).toEqual([21, 18, 15, 12, 9, 6, 3, 0].map((n) => `Needle${n}`))
})

test('a cursor with offsets after the end, and one of another topic, are answered', async () => {
  await server.topic('cursors', 1)
  await produce('cursors', 2, { partitions: 1 })
  const { cursor } = await get('/topics/cursors/messages?order=desc&limit=1')
  const [id] = cursor?.split('.') ?? []
  expect(values(await get(`/topics/cursors/messages?order=desc&cursor=${id}.zzz`))).toEqual(['1', '0'])
  await server.topic('cursors-2', 1)
  expect((await get(`/topics/cursors-2/messages?order=desc&cursor=${cursor}`)).error).toBe('UnknownTopicIdException')
  expect((await get('/topics/cursors/messages?order=desc&cursor=x')).error).toBe('InvalidRequestException')
})
