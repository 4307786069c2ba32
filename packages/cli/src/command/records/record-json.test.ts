// A record converted to JSON and back has the same bytes, and an invalid record is rejected with a reason.
import fc from 'fast-check'
import { startKafka } from 'local-kafka-service'
import { expect, test } from 'vitest'
import type { ConsumedRecord } from './consumed-record.ts'
import { parseRecordLine, recordLine } from './record-json.ts'

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.string({ unit: 'binary' }).map((text) => new TextEncoder().encode(text)),
)
const buffer = bytes.map((one) => Buffer.from(one))
const orNull = fc.option(buffer)

test('a printed record is read back byte for byte: null and empty values, text and binary bytes, headers in their order', () => {
  fc.assert(
    fc.property(
      fc.record<ConsumedRecord>({
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

test('the exact shape of the JSON', () => {
  const record: ConsumedRecord = {
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

test('HTTP returns the same JSON for the same record', async () => {
  await using kafka = await startKafka({ http: true })
  const values = [Buffer.from('text'), Buffer.from([0xff]), Buffer.from('\ufeffü'), Buffer.alloc(0), null]
  await kafka.produce(
    'orders',
    ...values.map((value) => ({ key: value, value, headers: { h: value }, partition: 0, timestamp: 1_700_000_000_123 })),
  )
  const answer = await fetch(`${kafka.urls?.data}/topics/orders/messages/0?offset=0`)
  // The cast: the test compares the whole value.
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
  ['', 'it is not valid JSON'],
  ['hello', 'it is not valid JSON'],
  ['[1]', 'it is not a JSON object'],
  ['null', 'it is not a JSON object'],
  ['{}', 'it has no value'],
  ['{"value":"v","vlaue":1}', 'a record has no field "vlaue"'],
  ['{"value":{"a":1}}', 'its value is not a string: quote JSON inside a record'],
  ['{"value":7}', 'its value is not a string'],
  ['{"value":"v","key":7}', 'its key is not a string'],
  ['{"value":"!","valueEncoding":"base64"}', 'its value is not valid base64'],
  ['{"value":"v","valueEncoding":"hex"}', 'its valueEncoding is "hex"'],
  ['{"value":"\\ud800"}', 'unpaired surrogate'],
  ['{"value":"v","partition":-1}', 'its partition is not an integer'],
  ['{"value":"v","partition":1.5}', 'its partition is not an integer'],
  ['{"value":"v","partition":2147483648}', 'its partition is not an integer'],
  ['{"value":"v","timestamp":9007199254740993}', 'its timestamp is not an integer'],
  ['{"value":"v","headers":{"a":"b"}}', 'its headers are not a list'],
  ['{"value":"v","headers":["a"]}', 'a header is not {"key": …, "value": …}'],
  ['{"value":"v","headers":[{"value":"b"}]}', 'a header has no key'],
  ['{"value":"v","headers":[{"key":"a","value":1}]}', 'in a header, its value is not a string'],
])('%s is rejected with a reason', (line, why) => {
  expect(parseRecordLine(Buffer.from(line))).toMatchObject({ kind: 'wrong', why: expect.stringContaining(why) })
})

test('a line that is not UTF-8 is rejected', () => {
  expect(parseRecordLine(Buffer.from([0x22, 0xff, 0x22]))).toEqual({ kind: 'wrong', why: 'it is not UTF-8' })
})
