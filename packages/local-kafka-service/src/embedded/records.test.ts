// Topics and records of an embedded server: created, produced, read and awaited.
import { deepStrictEqual } from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Kafka, RefusedError, startKafka, WaitTimeoutError } from '../index.ts'

let kafka: Kafka
beforeAll(async () => {
  kafka = await startKafka({ topics: { orders: 3, small: { partitions: 1, config: { 'max.message.bytes': 1_000 } } } })
})
afterAll(() => kafka.stop())

describe('topics', () => {
  test('the topics of the start exist, with their configs', async () => {
    expect(await kafka.records('orders')).toEqual([])
    await expect(kafka.produce('small', 'x'.repeat(2_000))).rejects.toMatchObject({ name: 'RefusedError', code: 'MESSAGE_TOO_LARGE' })
  })

  test('a topic can be used when createTopic returns, and is created once', async () => {
    await kafka.createTopic('made', 2)
    await kafka.produce('made', { value: 'x', partition: 1 })
    await expect(kafka.createTopic('made')).rejects.toMatchObject({ code: 'TOPIC_ALREADY_EXISTS' })
  })

  test.each([
    ['zero partitions', 'bad', 0, 'INVALID_PARTITIONS'],
    ['a fractional number of partitions', 'bad', 1.5, 'INVALID_PARTITIONS'],
    ['-1, Kafka’s value for the default', 'bad', -1, 'INVALID_PARTITIONS'],
    ['an invalid name', 'no/name', 1, 'INVALID_TOPIC_EXCEPTION'],
    ['a config that does not exist', 'bad', { config: { 'no.such': 1 } }, 'INVALID_CONFIG'],
  ])('%s is rejected', async (_rule, name, spec, code) => {
    await expect(kafka.createTopic(name, spec)).rejects.toMatchObject({ name: 'RefusedError', code })
  })

  test('a topic that cannot be created fails the start with a reason', async () => {
    await expect(startKafka({ topics: { 'no/name': 1 } })).rejects.toMatchObject({
      name: 'UserError',
      code: 'LKS-1004',
      message: expect.stringContaining('no/name'),
    })
  })

  test('a topic from an earlier run stays, and must match the request', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'lks-topics-'))
    try {
      {
        await using first = await startKafka({ dir, topics: { kept: 2 } })
        await first.produce('kept', 'still here')
      }
      {
        await using second = await startKafka({ dir, topics: { kept: { partitions: 2 } } })
        expect((await second.records('kept')).map((record) => record.text())).toEqual(['still here'])
      }
      await expect(startKafka({ dir, topics: { kept: 3 } })).rejects.toMatchObject({ code: 'LKS-1004', message: /has 2 partitions, not 3/ })
      await expect(startKafka({ dir, topics: { kept: { config: { 'max.message.bytes': 5 } } } })).rejects.toMatchObject({
        code: 'LKS-1004',
      })
      // The rejected start holds no resource.
      await using _third = await startKafka({ dir })
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })
})

describe('produce', () => {
  test('records are read as produced: text, bytes, JSON, tombstones, headers, timestamps', async () => {
    await kafka.createTopic('round', 1)
    const refs = await kafka.produce(
      'round',
      'just a value',
      { key: 'k', value: Buffer.from([0xff, 0]), timestamp: 1_700_000_000_000 },
      { key: Buffer.from([1, 2]), value: null, timestamp: new Date(1_700_000_000_001) },
      { json: { sku: 'A', n: [1] }, headers: { trace: 'abc', raw: Buffer.from([9]), none: null } },
    )
    expect(refs.map(({ topic, partition, offset }) => [topic, partition, offset])).toEqual(
      [0, 1, 2, 3].map((offset) => ['round', 0, offset]),
    )
    const records = await kafka.records('round')
    expect(records.map(({ offset, timestamp }) => [offset, timestamp])).toEqual(refs.map(({ offset, timestamp }) => [offset, timestamp]))
    const [first, second, third, fourth] = records
    expect([first?.text(), first?.key, first?.keyText()]).toEqual(['just a value', null, null])
    expect(second).toMatchObject({ key: Buffer.from('k'), value: Buffer.from([0xff, 0]), timestamp: 1_700_000_000_000 })
    expect([third?.key, third?.value, third?.text(), third?.timestamp]).toEqual([Buffer.from([1, 2]), null, null, 1_700_000_000_001])
    expect(() => third?.json()).toThrow('round[0] @2 is a tombstone')
    expect(fourth?.json()).toEqual({ sku: 'A', n: [1] })
    expect([fourth?.headerText('trace'), fourth?.headerText('none'), fourth?.headerText('absent')]).toEqual(['abc', null, undefined])
    expect(fourth?.headers).toEqual([
      { key: 'trace', value: Buffer.from('abc') },
      { key: 'raw', value: Buffer.from([9]) },
      { key: 'none', value: null },
    ])
    expect(() => first?.json()).toThrow('the value of round[0] @0  value "just a value" is not valid JSON')
  })

  test('a byte order mark stays in the text, and is not part of the JSON', async () => {
    await kafka.produce('marked', { key: '\ufeffk', value: '\ufeff{"a":1}', headers: { h: '\ufeff' } })
    const [record] = await kafka.records('marked')
    expect([record?.keyText(), record?.text(), record?.headerText('h')]).toEqual(['\ufeffk', '\ufeff{"a":1}', '\ufeff'])
    expect(record?.json()).toEqual({ a: 1 })
  })

  test('a key goes to the same partition as with Kafka’s own producer; the records of one call without keys stay together', async () => {
    await kafka.createTopic('spread', 10)
    const [keyed] = await kafka.produce('spread', { key: 'foobar', value: '' })
    expect(keyed?.partition).toBe((-790332482 & 0x7fffffff) % 10)
    const calls = [await kafka.produce('spread', 'a', 'b', 'c'), await kafka.produce('spread', 'd', 'e')]
    expect(calls.map((refs) => new Set(refs.map(({ partition }) => partition)).size)).toEqual([1, 1])
    expect(calls[0]?.[0]?.partition).not.toBe(calls[1]?.[0]?.partition)
  })

  test('it creates a missing topic, unless the setting forbids it', async () => {
    await kafka.produce('named', 'x')
    expect(await kafka.records('named')).toHaveLength(1)
    await using strict = await startKafka({ settings: { 'auto.create.topics.enable': false } })
    await expect(strict.produce('named', 'x')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  })

  test('more records than one batch can hold go in several batches, in order', async () => {
    const values = Array.from({ length: 20 }, (_, index) => `${index}`.padEnd(400, '.'))
    await kafka.createTopic('batches', { config: { 'max.message.bytes': 1_000 } })
    const refs = await kafka.produce('batches', ...values)
    expect(refs.map(({ offset }) => offset)).toEqual(values.map((_, index) => index))
    expect((await kafka.records('batches')).map((record) => record.text())).toEqual(values)
  })

  test('bytes of another realm are bytes', async () => {
    const foreign = runInNewContext('new Uint8Array([104, 105])') as Uint8Array
    expect(foreign).not.toBeInstanceOf(Uint8Array)
    await kafka.produce('foreign', { key: foreign, value: foreign, headers: { h: foreign } })
    expect((await kafka.records('foreign')).map((record) => [record.keyText(), record.text(), record.headerText('h')])).toEqual([
      ['hi', 'hi', 'hi'],
    ])
  })

  test.each([
    ['no value', {}, 'has no value; use null for a tombstone'],
    ['two values', { value: 'a', json: 1 }, 'both value and json'],
    ['a number for a value', { value: 1 }, 'the value of record 1'],
    ['a key that is not bytes', { value: 'a', key: {} }, 'the key of record 1'],
    ['an invalid timestamp', { value: 'a', timestamp: new Date(Number.NaN) }, 'has the timestamp Invalid Date'],
    ['json that JSON does not support', { json: () => {} }, 'JSON does not support'],
    ['bare bytes', Buffer.from('a'), 'is not a valid record'],
  ])('%s is rejected with a reason, and nothing is stored', async (_rule, record, words) => {
    // The cast: a caller without types may pass anything.
    await expect(kafka.produce('orders', 'fine', record as { value: string })).rejects.toThrow(words)
    await expect(kafka.produce('orders', 'fine', { value: 'x', partition: 3 })).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    expect(await kafka.records('orders')).toEqual([])
  })
})

describe('records', () => {
  test('by partition, key, time and number', async () => {
    await kafka.createTopic('queried', 2)
    for (const [index, key] of ['a', 'b', 'a', 'b'].entries())
      await kafka.produce('queried', { key, value: `${index}`, partition: index % 2, timestamp: 1_700_000_000_000 + index })
    const texts = async (query: Parameters<Kafka['records']>[1]): Promise<readonly (string | null)[]> =>
      (await kafka.records('queried', query)).map((record) => record.text())
    expect(await texts({})).toEqual(['0', '1', '2', '3'])
    expect(await texts({ partition: 1 })).toEqual(['1', '3'])
    expect(await texts({ key: 'a' })).toEqual(['0', '2'])
    expect(await texts({ since: 1_700_000_000_001, until: new Date(1_700_000_000_003) })).toEqual(['1', '2'])
    expect(await texts({ limit: 2 })).toEqual(['0', '1'])
    await expect(texts({ partition: 2 })).rejects.toThrow('partition 2 does not exist')
  })

  test('all of them, however many', async () => {
    const values = Array.from({ length: 12_000 }, (_, index) => String(index))
    await kafka.createTopic('many', 1)
    await kafka.produce('many', ...values)
    expect((await kafka.records('many')).map((record) => record.text())).toEqual(values)
  })

  test('changing the bytes of a record does not change the log', async () => {
    await kafka.produce('own', 'abc')
    const [record] = await kafka.records('own')
    record?.value?.fill(0)
    expect((await kafka.records('own'))[0]?.text()).toBe('abc')
  })

  test('a missing topic is an error that lists the existing topics', async () => {
    await expect(kafka.records('orderz')).rejects.toThrow(/no topic 'orderz'; did you mean orders\?/)
  })
})

describe('waitFor', () => {
  test('waits for records that exist, for later ones, and for a topic that does not exist yet', async () => {
    const waiting = kafka.waitFor('later', 3)
    await kafka.produce('later', 'a', 'b')
    await kafka.produce('later', 'c', 'd')
    expect((await waiting).map((record) => record.text())).toEqual(['a', 'b', 'c'])
    expect((await kafka.waitFor('later', 2)).map((record) => record.text())).toEqual(['a', 'b'])
  })

  test('the first record that matches, wherever it is', async () => {
    await kafka.createTopic('matched', 3)
    const waiting = kafka.waitFor('matched', (record) => record.keyText() === 'x')
    await kafka.produce('matched', { key: 'y', value: '1' }, { key: 'x', value: '2' })
    const [found] = await waiting
    expect(found.text()).toBe('2')
  })

  test('a topic that is deleted and created again is followed from its new start', async () => {
    await using own = await startKafka()
    await own.produce('again', 'old')
    const waiting = own.waitFor('again', 2)
    await own.reset()
    await own.produce('again', 'new 1', 'new 2')
    expect((await waiting).map((record) => record.text())).toEqual(['new 1', 'new 2'])
  })

  test('an error of the function, and an invalid function, reject at once', async () => {
    await kafka.produce('thrown', 'x')
    await expect(
      kafka.waitFor('thrown', () => {
        throw new Error('mine')
      }),
    ).rejects.toThrow('mine')
    await expect(kafka.waitFor('thrown', (async () => false) as unknown as () => boolean)).rejects.toThrow('returns a promise')
    await expect(kafka.waitFor('thrown', 0)).rejects.toThrow('an integer of at least 1')
    await expect(kafka.waitFor('thrown', 1, { timeoutMs: Number.NaN })).rejects.toThrow('timeoutMs')
  })

  test('a server that stops meanwhile ends the wait', async () => {
    const own = await startKafka()
    const waiting = own.waitFor('t', 1)
    const caught = expect(waiting).rejects.toMatchObject({ name: 'RefusedError', code: 'SERVER_STOPPED' })
    await own.kill()
    await caught
    await expect(own.produce('t', 'x')).rejects.toBeInstanceOf(RefusedError)
  })

  test('after a time-out the error lists what was there, in lines of 80 columns, and its stack begins at the test', async () => {
    await using own = await startKafka({ topics: { orders: 2, other: 1 } })
    await own.produce('orders', { key: '1', value: 'a'.repeat(300), partition: 0, timestamp: 1_700_000_000_000 })
    await own.produce('orders', { key: Buffer.from([0xff]), value: Buffer.from([0, 1, 2]), partition: 1, timestamp: 1_700_000_000_001 })
    const error = await own.waitFor('orders', 3, { timeoutMs: 20 }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(WaitTimeoutError)
    const { message, stack } = error as Error
    expect(message).toBe(
      [
        "waitFor('orders', 3): not within 20 ms",
        '',
        '  orders: 2 records in 2 partitions',
        '    [0]  @0 to @0',
        '    [1]  @0 to @0',
        '  the last records, newest first:',
        '    orders[1] @0  key 0xff (1 B)  value 0x000102 (3 B)',
        `    orders[0] @0  key "1"  value "${'a'.repeat(36)}…" (300 B)`,
        '  other topics:',
        '    other  0 records in 1 partition',
        '  There are no consumer groups.',
        '  No client is connected.',
      ].join('\n'),
    )
    for (const line of message.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    expect(stack?.startsWith(`WaitTimeoutError: ${message}\n    at `)).toBe(true)
    expect(stack?.split('\n    at ')[1]).toContain('records.test.ts')
  })

  test('after a time-out for a topic that never existed the error says so, and lists the existing topics', async () => {
    await using own = await startKafka({ topics: { orders: 1 } })
    await expect(own.waitFor('order', 1, { timeoutMs: 20 })).rejects.toThrow(
      /Topic 'order' does not exist\.\n {2}topics:\n {4}orders {2}0 records in 1 partition/,
    )
  })
})

test('pending calls are rejected at once when their server is killed, and nothing is retried', async () => {
  const retried = Promise.withResolvers<void>()
  let tries = 0
  const own = await startKafka({
    topics: { t: 1 },
    log: 'silent',
    onEvent({ kind }) {
      if (kind !== 'commit retried') return
      tries += 1
      retried.resolve()
    },
  })
  await own.produce('t', 'before')
  own.faults.metadata.disconnect()
  const rejected = expect(own.produce('t', 'on its way')).rejects.toThrow('the agent was killed')
  await retried.promise
  await own.kill()
  await rejected
  expect(tries).toBe(1)
})

test('N5: waitFor returns a list, and using it as a record is an error, for the types and at run time', async () => {
  await using kafka = await startKafka()
  await kafka.produce('shipments', { key: '42', value: 'x' })
  const shipment = await kafka.waitFor('shipments', (record) => record.keyText() === '42')
  // @ts-expect-error a list has no value
  expect(() => shipment.value as unknown).toThrow(
    /waitFor\('shipments', function\) returns a list.*const \[record\] = await kafka\.waitFor/,
  )
  // @ts-expect-error a list has no text()
  expect(() => shipment.text() as unknown).toThrow(/returns a list/)
  const [record] = shipment
  expect(record.text()).toBe('x')
  expect(Object.keys(shipment)).toEqual(['0'])
  expect(shipment).toEqual([record])
  deepStrictEqual(shipment, [record])
  expect(inspect(shipment)).not.toContain('Getter')
})
