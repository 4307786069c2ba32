// A data directory with a flipped byte, a cut volume and a deleted one: every other record is served, the damage is named, and a skip takes consumers past it.
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually, expectError } from './testing/commands.ts'
import { createTopic, produceTo, topicValues } from './testing/http.ts'
import { type Folder, lks, type ServerProcess, startServer, temporaryFolder } from './testing/server.ts'

let folder: Folder
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

const start = (): Promise<ServerProcess> => startServer({ args: ['--dir', folder.path] })
const valueOf = (number: number): string => `record ${number}.`
const lost = [4, 16, 17, 18, 19, 25, 26, 27, 28, 29]
const others = Array.from({ length: 30 }, (_, number) => number).filter((number) => !lost.includes(number))

test('a cluster with a flipped byte, a cut and a deleted object serves every other record', async () => {
  const volumes = await threeVolumes()
  await damage(volumes)
  const server = await start()
  const url = ['--url', server.urls.control]

  // A client receives the records before the damage, then the error.
  const before = consume(server, 'before')
  await expect.poll(() => before.crash, eventually).toContain('otherwise corrupt')
  await before.end()
  expect(before.offsets).toEqual([0, 1, 2, 3])
  const consumed = await lks(['consume', 'hello', '-b', server.kafka, '-e'])
  expectError(consumed, 'LKS-4017', /hello\[0\]: offset 4 cannot be read/)
  expect(consumed.stdout).toBe([0, 1, 2, 3].map((number) => `${valueOf(number)}\n`).join(''))
  expect(await readPastDamage(server)).toEqual(others)
  expect(await ready(server)).toMatchObject({ status: 'degraded' })

  const found = await lks(['doctor', 'storage', ...url, '-o', 'json'])
  expectError(found, 'LKS-4017', /10 offsets of 1 topic cannot be read/)
  const { check, damage: ranges } = JSON.parse(found.stdout) as DoctorAnswer
  expect(check).toMatchObject({ state: 'complete', objects: { checked: 30, total: 30 }, damagedObjects: 10, harmlessObjects: 0 })
  expect(ranges.flatMap(({ offset, lastOffset }) => (offset === lastOffset ? [offset] : [offset, lastOffset]))).toEqual(lost)
  expect(ranges.find(({ offset }) => offset === 4)).toMatchObject({ topic: 'hello', partition: 0, kind: 'changed' })
  expect((await ready(server)).reasons).toHaveLength(10)

  // Without a confirmation nothing is skipped.
  expectError(await lks(['topic', 'skip-damaged', 'hello', ...url]), 'LKS-1008', /--yes/, 2)
  expect((await ready(server)).reasons).toHaveLength(10)
  const skipped = await lks(['topic', 'skip-damaged', 'hello', '--yes', ...url, '-o', 'json'])
  expect(skipped.code).toBe(0)
  expect(JSON.parse(skipped.stdout)).toMatchObject({
    applied: true,
    ranges: ranges.map(({ offset, lastOffset }) => ({ offset, lastOffset })),
  })

  const after = consume(server, 'after')
  await expect.poll(() => after.offsets, eventually).toEqual(others)
  // The last offsets of the log are skipped, too: the consumer is past them, and receives what follows.
  expect(await produceTo(server, 'hello', 0, 'next')).toBe(30)
  await expect.poll(() => after.offsets, eventually).toEqual([...others, 30])
  await after.end()
  expect(after.crash).toBeUndefined()
  expect(await ready(server)).toEqual({ status: 'ready', reasons: [] })
  await server.kill()

  const again = await start()
  expect(Object.keys(await topicValues(again, 'hello', 0)).map(Number)).toEqual([...others, 30])
  const healthy = await lks(['doctor', 'storage', '--url', again.urls.control, '-o', 'json'])
  expect(healthy).toMatchObject({ code: 0 })
  expect(JSON.parse(healthy.stdout)).toMatchObject({ damage: [], check: { damagedObjects: 10, harmlessObjects: 10 } })
  const nothing = await lks(['topic', 'skip-damaged', 'hello', '--yes', '--url', again.urls.control])
  expect(nothing).toMatchObject({ code: 0 })
  expect(nothing.stderr).toContain('no damage is known')
  await again.stop()
})

test('doctor storage names a server that does not answer, and a topic that does not exist', async () => {
  expectError(await lks(['doctor', 'storage', '--url', 'http://127.0.0.1:1']), 'LKS-4001', /control plane/)
  const server = await start()
  expectError(await lks(['topic', 'skip-damaged', 'absent', '--url', server.urls.control]), 'LKS-4008', /absent/)
  expectError(await lks(['doctor', 'storage', '--url', server.urls.data]), 'LKS-4006', /data plane/)
  await server.stop()
})

interface DoctorAnswer {
  readonly check: object
  readonly damage: readonly { readonly offset: number; readonly lastOffset: number }[]
}

/** Each life of a server makes a volume. The records 0 to 9, 10 to 19, 20 to 24 and 25 to 29 have one each; every record has an object of its own. */
async function threeVolumes(): Promise<readonly string[]> {
  const volumes: string[] = []
  for (const [from, until] of [
    [0, 10],
    [10, 20],
    [20, 25],
    [25, 30],
  ] as const) {
    const server = await start()
    if (from === 0) await createTopic(server, 'hello', 1)
    for (let number = from; number < until; number += 1) expect(await produceTo(server, 'hello', 0, valueOf(number))).toBe(number)
    await server.stop()
    const directory = join(folder.path, 'objects', '~volumes')
    for (const name of (await readdir(directory)).toSorted())
      if (!volumes.includes(join(directory, name))) volumes.push(join(directory, name))
  }
  expect(volumes).toHaveLength(4)
  return volumes
}

async function damage([flipped = '', cut = '', , deleted = '']: readonly string[]): Promise<void> {
  const bytes = await readFile(flipped)
  const at = bytes.indexOf(valueOf(4))
  bytes[at] = (bytes[at] ?? 0) ^ 1
  await writeFile(flipped, bytes)
  await truncate(cut, (await readFile(cut)).indexOf(valueOf(16)) + 3)
  await rm(deleted)
}

/** The offsets that HTTP returns, when a reader goes on as each error tells it. */
async function readPastDamage({ urls }: ServerProcess): Promise<readonly number[]> {
  const offsets: number[] = []
  for (let next = 0; next < 30; ) {
    const answer = await fetch(`${urls.data}/topics/hello/messages/0?offset=${next}&limit=1000`)
    // The cast: the answer's shape is the HTTP contract, which has tests of its own.
    const body = (await answer.json()) as {
      readonly records?: readonly { readonly offset: number }[]
      readonly next_offset?: number
      readonly next?: number
    }
    offsets.push(...(body.records ?? []).map(({ offset }) => offset))
    next = body.next ?? body.next_offset ?? 30
  }
  return offsets
}

async function ready({ urls }: ServerProcess): Promise<{ readonly status: string; readonly reasons: readonly string[] }> {
  return (await (await fetch(`${urls.control}/readyz`)).json()) as { readonly status: string; readonly reasons: readonly string[] }
}

/** A consumer of the whole topic, in a group of its own. */
function consume(
  { kafka: broker }: ServerProcess,
  groupId: string,
): { readonly offsets: readonly number[]; readonly crash: string | undefined; end(): Promise<void> } {
  const retry = { initialRetryTime: 50, maxRetryTime: 100, retries: 2 }
  const client = new kafkajs.Kafka({ clientId: 'damage', brokers: [broker], logLevel: kafkajs.logLevel.NOTHING, retry })
  const consumer = client.consumer({ groupId, maxWaitTimeInMs: 100, retry: { ...retry, restartOnFailure: () => Promise.resolve(false) } })
  const offsets: number[] = []
  const seen: { crash: string | undefined } = { crash: undefined }
  consumer.on('consumer.crash', ({ payload }) => {
    seen.crash = String(payload.error)
  })
  const run = async (): Promise<void> => {
    await consumer.connect()
    await consumer.subscribe({ topic: 'hello', fromBeginning: true })
    await consumer.run({ eachMessage: async ({ message }) => void offsets.push(Number(message.offset)) })
  }
  const running = run()
  return {
    offsets,
    get crash() {
      return seen.crash
    },
    async end() {
      await running
      await consumer.disconnect()
    },
  }
}
