// Producing many records over HTTP.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { httpLimits } from './limits.ts'
import { type JsonAnswer, json } from './testing/json.ts'
import { type ServedForTests, served } from './testing/served.ts'

let server: ServedForTests
beforeAll(async () => {
  server = await served()
})
afterAll(() => server.stop())

const produce = (topic: string, ...lines: readonly string[]): Promise<Response> =>
  fetch(`${server.data}/topics/${topic}/produce`, { method: 'POST', body: lines.join('\n') })
const records = async (topic: string): Promise<JsonAnswer['records']> =>
  (await json(fetch(`${server.data}/topics/${topic}/messages`))).records

test('each line is a record, with key, headers, time and partition, and is answered in its place', async () => {
  await server.topic('lines', 2)
  const response = await produce(
    'lines',
    '{"key":"k","value":"v","headers":[{"key":"a","value":"1"},{"key":"b","value":null}],"timestamp":5,"partition":1}',
    '',
    '{"value":null,"key":"gone","partition":1,"offset":77}',
    '{"value":{"b":[1]},"partition":0}',
    '{"value":"/wEC","valueEncoding":"base64","key":"/w==","keyEncoding":"base64","partition":1}',
  )
  expect(response.status).toBe(200)
  const { records: places } = await json(response)
  expect(places).toMatchObject([
    { partition: 1, offset: 0, timestamp: 5 },
    { partition: 1, offset: 1 },
    { partition: 0, offset: 0 },
    { partition: 1, offset: 2 },
  ])
  const stored = (await records('lines')).toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)
  expect(stored).toMatchObject([
    { partition: 0, key: null, value: '{"b":[1]}' },
    {
      partition: 1,
      key: 'k',
      value: 'v',
      timestamp: 5,
      headers: [
        { key: 'a', value: '1' },
        { key: 'b', value: null },
      ],
    },
    { partition: 1, key: 'gone', value: null },
    { partition: 1, key: '/w==', keyEncoding: 'base64', value: '/wEC', valueEncoding: 'base64' },
  ])
})

test("a key goes to the partition that Kafka's Java client chooses, and records without a key stay together", async () => {
  await server.topic('spread', 50)
  // murmur2 of these keys, as org.apache.kafka.common.utils.Utils has it: 'foobar' is -790332482, '21' is -973932308.
  const { records: places } = await json(
    produce('spread', '{"key":"foobar","value":""}', '{"key":"21","value":""}', '{"value":"1"}', '{"value":"2"}'),
  )
  const expected = (hash: number): number => (hash & 0x7fffffff) % 50
  expect(places.slice(0, 2).map(({ partition }) => partition)).toEqual([expected(-790332482), expected(-973932308)])
  expect(places[2]?.partition).toBe(places[3]?.partition)
})

test.each([
  ['', 'The body has no line'],
  ['{"value":"v"}\nnope', 'Line 2: a record must be a JSON object'],
  ['[1]', 'Line 1: a record must be a JSON object'],
  ['{"key":"k"}', "Line 1: the member 'value' is missing"],
  ['{"value":"v","keys":"k"}', "Line 1: there is no member 'keys'"],
  ['{"value":"v","key":1}', "Line 1: the member 'key' must be a string or null"],
  ['{"value":"v","partition":2}', "Line 1: topic 'strict' has no partition 2"],
  ['{"value":"v","partition":-1}', "Line 1: the member 'partition' must be a whole number"],
  ['{"value":"v","timestamp":1.5}', "Line 1: the member 'timestamp' must be a whole number"],
  ['{"value":"!","valueEncoding":"base64"}', "Line 1: the member 'value' is not valid base64"],
  ['{"value":{},"valueEncoding":"base64"}', "Line 1: the member 'value' is not valid base64"],
  ['{"value":"v","valueEncoding":"hex"}', "Line 1: the member 'valueEncoding' can only be base64"],
  ['{"value":"v","headers":{"a":"b"}}', "Line 1: the member 'headers' must be a list"],
])('an invalid line is named, and nothing is stored: %s', async (body, message) => {
  await server.topic('strict', 2)
  const response = await produce('strict', body)
  expect(response.status).toBe(400)
  expect((await json(response)).message).toContain(message)
  expect(await records('strict')).toEqual([])
})

test('a valid line before an invalid one is not stored', async () => {
  await server.topic('whole', 1)
  expect((await produce('whole', '{"value":"valid"}', '{"value":"v","partition":1}')).status).toBe(400)
  expect(await records('whole')).toEqual([])
})

test('the body and the number of lines are bounded', async () => {
  await server.topic('bounded', 1)
  expect((await produce('bounded', 'x'.repeat(httpLimits.linesBodyBytes + 1))).status).toBe(413)
  const many = await produce('bounded', ...Array.from({ length: 10_001 }, () => '{"value":""}'))
  expect(await json(many)).toMatchObject({ error: 'InvalidRequestException', message: expect.stringContaining('10001 lines') })
})

test('a batch that the topic rejects is an error, alone or as a whole', async () => {
  expect((await produce('absent', '{"value":""}')).status).toBe(404)
  await fetch(`${server.control}/topics`, { method: 'POST', body: '{"name":"small","partitions":2,"config":{"max.message.bytes":100}}' })
  const large = `{"value":"${'x'.repeat(200)}","partition":0}`
  expect((await produce('small', large)).status).toBe(413)
})
