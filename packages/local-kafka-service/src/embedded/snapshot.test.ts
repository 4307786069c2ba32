// Snapshots: one file with everything, the start of any number of copies, none of which writes to it.
import { createHash } from 'node:crypto'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Kafka, startKafka } from '../index.ts'
import { clients } from './faults/testing/clients.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lks-snapshot-'))
  path = join(folder, 'state #1?.lks')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Two topics, a group with an offset, a group with a member, and a time one month later. */
async function prepare(kafka: Kafka): Promise<void> {
  await kafka.createTopic('orders', 3)
  await kafka.produce('orders', { key: 'k', value: 'one', headers: { h: 'x' } }, 'two')
  await kafka.produce('large', 'x'.repeat(900_000))
  await kafka.group('g').seek('end', { topic: 'orders' })
}

async function check(kafka: Kafka): Promise<void> {
  expect((await kafka.records('orders')).map(({ value }) => String(value)).toSorted()).toEqual(['one', 'two'])
  expect((await kafka.records('large')).map(({ value }) => value?.length)).toEqual([900_000])
  expect(await kafka.group('g').lag()).toBe(0)
}

const digest = (): string => createHash('sha256').update(readFileSync(path)).digest('hex')

test.each(['in memory', 'in a directory'])(
  'of a server %s: copies have everything, are independent, and leave the file unchanged',
  async (where) => {
    const kafka = await startKafka(where === 'in memory' ? {} : { dir: join(folder, 'data') })
    await prepare(kafka)
    await kafka.snapshot(path)
    await kafka.produce('orders', 'later')
    await kafka.stop()
    const before = digest()
    const copies = await Promise.all([1, 2, 3].map(() => startKafka({ from: path })))
    for (const [index, copy] of copies.entries()) {
      await check(copy)
      await copy.produce('orders', `of copy ${index}`)
      await using fork = await copy.fork()
      expect(await fork.records('orders')).toHaveLength(3)
    }
    await Promise.all(copies.map((copy) => copy.stop()))
    expect(digest()).toBe(before)
    expect(readdirSync(folder).filter((name) => name.includes('~'))).toEqual([])
  },
)

test.each(clients)('$name continues in a copy at the position of its group, although the group had members', async (client) => {
  const kafka = await startKafka({ topics: { t: 1 } })
  await kafka.produce('t', 'one')
  const consumer = await client.consumer(kafka, { group: 'g', topic: 't', sessionTimeoutMs: 60_000 })
  await consumer.received(1)
  await kafka.snapshot(path)
  await consumer[Symbol.asyncDispose]()
  await kafka.stop()
  await using copy = await startKafka({ from: path })
  expect(await copy.group('g').describe()).toMatchObject({ state: 'Empty', members: [] })
  await using again = await client.consumer(copy, { group: 'g', topic: 't' })
  await copy.produce('t', 'two')
  await again.received(1)
})

test('a snapshot of a fork of a copy is complete, and replaces the original file', async () => {
  const kafka = await startKafka()
  await prepare(kafka)
  await kafka.snapshot(path)
  await kafka.stop()
  const copy = await startKafka({ from: path })
  await copy.produce('second', 'more')
  const fork = await copy.fork()
  await copy.stop()
  await fork.snapshot(path)
  await check(fork)
  await fork.stop()
  await using again = await startKafka({ from: path })
  await check(again)
  expect((await again.records('second')).map(({ value }) => String(value))).toEqual(['more'])
})

test('a snapshot that cannot be written is an error, leaves nothing behind and keeps the existing file', async () => {
  await using kafka = await startKafka()
  await expect(kafka.snapshot(join(folder, 'no/such/folder/file'))).rejects.toMatchObject({ code: 'LKS-1402' })
  await expect(kafka.snapshot(folder)).rejects.toMatchObject({ code: 'LKS-1402' })
  expect(readdirSync(folder)).toEqual([])
  await kafka.snapshot(path)
})

describe('a file that is', () => {
  beforeEach(async () => {
    await using kafka = await startKafka()
    await prepare(kafka)
    await kafka.snapshot(path)
  })
  const start = (): Promise<Kafka> => startKafka({ from: path })
  const withDatabase = (text: string): void => {
    const database = new DatabaseSync(path)
    database.exec(text)
    database.close()
  }

  test('not there', async () => {
    rmSync(path)
    await expect(start()).rejects.toMatchObject({
      code: 'LKS-1403',
      fix: expect.arrayContaining([expect.stringContaining('snapshot(path)')]),
    })
    expect(readdirSync(folder)).toEqual([])
  })

  test('something else', async () => {
    for (const content of ['', 'a letter, and not a database '.repeat(100)]) {
      writeFileSync(path, content)
      await expect(start(), content).rejects.toMatchObject({ code: 'LKS-1404' })
      expect(readFileSync(path, 'utf8')).toBe(content)
    }
    rmSync(path)
    withDatabase('CREATE TABLE letters (one text)')
    await expect(start()).rejects.toMatchObject({ code: 'LKS-1404', what: expect.stringContaining('is not a snapshot') })
    await expect(startKafka({ from: folder })).rejects.toMatchObject({ code: 'LKS-1404' })
  })

  test('cut off at any place', async () => {
    const whole = readFileSync(path)
    for (const part of [0.1, 0.5, 0.99]) {
      copyFileSync(path, `${path}.cut`)
      truncateSync(`${path}.cut`, Math.floor(whole.length * part))
      await expect(startKafka({ from: `${path}.cut` }), String(part)).rejects.toMatchObject({ code: 'LKS-1404' })
    }
  })

  test('overwritten where its tables are', async () => {
    const bytes = readFileSync(path)
    const at = bytes.indexOf('orders')
    // The page that holds the topics: its header describes the layout of its rows.
    const page = Math.floor(at / 4096) * 4096
    bytes.fill(0xff, page, page + 64)
    writeFileSync(path, bytes)
    await expect(start()).rejects.toMatchObject({ code: 'LKS-1404', what: expect.stringContaining('damaged') })
  })

  test('of a newer format, or with newer tables', async () => {
    withDatabase('UPDATE snapshot SET format = 3, minimum_reader = 2')
    await expect(start()).rejects.toMatchObject({ code: 'LKS-1405' })
    withDatabase('UPDATE snapshot SET format = 3, minimum_reader = 1')
    await (await start()).stop()
    withDatabase('UPDATE schema_version SET version = 99, minimum_reader = 98')
    await expect(start()).rejects.toMatchObject({ code: 'LKS-3104' })
  })

  test('used together with a store: rejected', async () => {
    for (const other of [{ dir: folder }, { storage: 's3://bucket' }, { metadata: 'postgres://me@host/db' }])
      await expect(startKafka({ from: path, ...other })).rejects.toMatchObject({ code: 'LKS-1005' })
  })
})

test('a snapshot of the first version is readable indefinitely', async () => {
  const golden = fileURLToPath(new URL('testing/golden/snapshot-1.lks.gz', import.meta.url))
  writeFileSync(path, gunzipSync(readFileSync(golden)))
  await using kafka = await startKafka({ from: path })
  expect(kafka.clusterId).toBe('4d5d7f0e-0c7b-4d34-9c8a-4f0f5a6b7c8d')
  const records = await kafka.records('orders')
  expect(
    records.map(({ key, value, partition, offset }) => [String(key), value === null ? null : String(value), partition, offset]),
  ).toEqual([
    ['a', 'first', 0, 0],
    ['b', 'second', 1, 0],
    ['a', null, 0, 1],
  ])
  expect(String(records[0]?.headers[0]?.value)).toBe('golden')
  expect(await kafka.group('shipping').describe()).toMatchObject({ state: 'Empty', members: [] })
  expect(await kafka.group('shipping').lag()).toBe(1)
})
