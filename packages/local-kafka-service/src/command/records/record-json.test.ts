// A record as JSON and back: the bytes are the same, and what is no record is refused in words.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startKafka } from '../../index.ts'
import type { KafkaRecord } from './kafka-record.ts'
import { parseRecordLine, recordLine } from './record-json.ts'

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.string({ unit: 'binary' }).map((text) => new TextEncoder().encode(text)),
)
const buffer = bytes.map((one) => Buffer.from(one))
const orNull = fc.option(buffer)

test('what is printed comes back byte for byte: null and empty, text and what is none, headers with their order', () => {
  fc.assert(
    fc.property(
      fc.record<KafkaRecord>({
        topic: fc.string(),
        partition: fc.nat(),
        offset: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
        timestamp: fc.bigInt({ min: -1n, max: BigInt(Number.MAX_SAFE_INTEGER) }),
        key: orNull,
        value: orNull,
        headers: fc.array(fc.record({ key: buffer, value: orNull }), { maxLength: 3 }),
      }),
      (record) => {
        const line = recordLine(record)
        expect(line).not.toContain('\n')
        const { partition, timestamp, key, value, headers } = record
        expect(parseRecordLine(Buffer.from(line))).toEqual({ kind: 'record', record: { partition, timestamp, key, value, headers } })
      },
    ),
  )
})

test('its shape, to the letter', () => {
  const record: KafkaRecord = {
    topic: 'orders',
    partition: 3,
    offset: 2n ** 60n,
    timestamp: 1_700_000_000_123n,
    key: null,
    value: Buffer.from([0xff]),
    headers: [{ key: Buffer.from('h'), value: Buffer.from('\ufeffü') }],
  }
  expect(recordLine(record)).toBe(
    '{"topic":"orders","partition":3,"offset":1152921504606846976,"timestamp":1700000000123,"key":null,"value":"/w==","valueEncoding":"base64","headers":[{"key":"h","value":"\ufeffü"}]}',
  )
})

test('HTTP says the same of the same record', async () => {
  await using kafka = await startKafka({ http: true })
  const values = [Buffer.from('text'), Buffer.from([0xff]), Buffer.from('\ufeffü'), Buffer.alloc(0), null]
  await kafka.produce(
    'orders',
    ...values.map((value) => ({ key: value, value, headers: { h: value }, partition: 0, timestamp: 1_700_000_000_123 })),
  )
  const answer = await fetch(`${kafka.urls?.data}/topics/orders/messages/0?offset=0`)
  // The cast: it is compared as a whole.
  const { records } = (await answer.json()) as { readonly records: readonly object[] }
  const lines = values.map((value, offset) =>
    recordLine({
      topic: 'orders',
      partition: 0,
      offset: BigInt(offset),
      timestamp: 1_700_000_000_123n,
      key: value,
      value,
      headers: [{ key: Buffer.from('h'), value }],
    }),
  )
  expect(records.map((record) => ({ topic: 'orders', ...record }))).toEqual(lines.map((line) => JSON.parse(line) as unknown))
})

test('a value is enough, and null is a tombstone', () => {
  const nothing = { partition: undefined, timestamp: undefined, key: null, headers: [] }
  expect(parseRecordLine(Buffer.from('{"value":"v"}'))).toEqual({ kind: 'record', record: { ...nothing, value: Buffer.from('v') } })
  expect(parseRecordLine(Buffer.from('{"value":null}'))).toEqual({ kind: 'record', record: { ...nothing, value: null } })
})

test.each([
  ['', 'it is no JSON'],
  ['hello', 'it is no JSON'],
  ['[1]', 'it is no JSON object'],
  ['null', 'it is no JSON object'],
  ['{}', 'it has no value'],
  ['{"value":"v","vlaue":1}', 'a record has no field "vlaue"'],
  ['{"value":{"a":1}}', 'its value is no text: JSON inside a record stands in quotes'],
  ['{"value":7}', 'its value is no text'],
  ['{"value":"v","key":7}', 'its key is no text'],
  ['{"value":"!","valueEncoding":"base64"}', 'its value is no base64'],
  ['{"value":"v","valueEncoding":"hex"}', 'its valueEncoding is "hex"'],
  ['{"value":"\\ud800"}', 'half of a surrogate pair stands alone'],
  ['{"value":"v","partition":-1}', 'its partition is no whole number'],
  ['{"value":"v","partition":1.5}', 'its partition is no whole number'],
  ['{"value":"v","partition":2147483648}', 'its partition is no whole number'],
  ['{"value":"v","timestamp":9007199254740993}', 'its timestamp is no whole number'],
  ['{"value":"v","headers":{"a":"b"}}', 'its headers are no list'],
  ['{"value":"v","headers":["a"]}', 'a header is no {"key": …, "value": …}'],
  ['{"value":"v","headers":[{"value":"b"}]}', 'a header has no key'],
  ['{"value":"v","headers":[{"key":"a","value":1}]}', 'in a header, its value is no text'],
])('%s is refused in words', (line, why) => {
  expect(parseRecordLine(Buffer.from(line))).toMatchObject({ kind: 'wrong', why: expect.stringContaining(why) })
})

test('a line that is not UTF-8 is refused', () => {
  expect(parseRecordLine(Buffer.from([0x22, 0xff, 0x22]))).toEqual({ kind: 'wrong', why: 'it is not UTF-8' })
})
