// A power loss under durability `os`, as far as a test can make one: kill -9, the newest objects torn and gone, and a machine that says it was started again.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTopic, produceTo, topicValues } from './testing/http.ts'
import { anyPorts, type Folder, lks, type ServerProcess, startServer, temporaryFolder } from './testing/server.ts'

let folder: Folder
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

const start = (...args: readonly string[]): Promise<ServerProcess> => startServer({ args: ['--dir', folder.path, ...args] })

test('start-up cuts what is gone and says so; what is before is all there, and producing goes on at the cut', async () => {
  const server = await start()
  const values = await produced(server, { partitions: 2, records: 40 })
  await server.kill()
  await tearNewest(3)
  await asIfRestarted()

  const again = await start()
  try {
    expect(await read(again, 0)).toEqual(values[0]?.slice(0, 19))
    expect(await read(again, 1)).toEqual(values[1]?.slice(0, 18))
    expect(await produceTo(again, 'hello', 0, 'after 0')).toBe(19)
    expect(await produceTo(again, 'hello', 1, 'after 1')).toBe(18)
    expect(await read(again, 0)).toEqual([...(values[0]?.slice(0, 19) ?? []), 'after 0'])
    expect(await read(again, 1)).toEqual([...(values[1]?.slice(0, 18) ?? []), 'after 1'])
  } finally {
    // Each object held one record, and these went to 0 and 1 in turn.
    const { stderr } = await again.stop()
    expect(stderr).toContain('hello[0] was cut at offset 19: 1 record did not survive the power loss')
    expect(stderr).toContain('hello[1] was cut at offset 18: 2 records did not survive the power loss')
    expect(stderr).toContain('40 newest objects read')
  }
  // Repairs persist over another start of the machine.
  await asIfRestarted()
  const third = await start()
  try {
    expect(await read(third, 1)).toHaveLength(19)
  } finally {
    const { stderr } = await third.stop()
    expect(stderr).toContain('all whole')
    expect(stderr).not.toContain('was cut')
  }
})

test('while the machine runs on nothing is looked at: after a kill -9 all is there, and an object that is damaged later is an error, never a cut', async () => {
  const server = await start()
  const [values] = await produced(server, { partitions: 1, records: 5 })
  await server.kill()
  const again = await start()
  try {
    expect(await read(again, 0)).toEqual(values)
  } finally {
    await again.kill()
  }
  await tearNewest(1)
  const third = await start()
  try {
    const answer = await fetch(`${third.urls.data}/topics/hello/messages/0?offset=4`)
    expect(answer.status).toBeGreaterThanOrEqual(500)
    expect(await produceTo(third, 'hello', 0, 'after')).toBe(5)
  } finally {
    const { stderr } = await third.stop()
    expect(stderr).not.toMatch(/newest objects|was cut/)
  }
})

test('what was stored as durable is not cut: under strict the start stops, says what is gone, and changes nothing', async () => {
  const server = await start('--durability', 'strict')
  await produced(server, { partitions: 1, records: 5 })
  await server.kill()
  await tearNewest(1)
  await asIfRestarted()
  for (let time = 1; time <= 2; time++) {
    const rejected = await lks(['dev', ...anyPorts, '--dir', folder.path, '--durability', 'strict'])
    expect(rejected.code).toBe(1)
    expect(rejected.stderr).toContain('LKS-3008')
    expect(rejected.stderr).toContain('--durability os')
  }
  // Continue as the message says.
  const again = await start('--durability', 'os')
  try {
    expect(await read(again, 0)).toHaveLength(4)
  } finally {
    const { stderr } = await again.stop()
    expect(stderr).toContain('hello[0] was cut at offset 4: 1 record did not survive')
  }
  const durable = await start('--durability', 'strict')
  expect(await produceTo(durable, 'hello', 0, 'after')).toBe(4)
  await durable.stop()
})

/** In turn to the partitions, each acknowledged before the next, so that every record has an object of its own. The values by partition. */
async function produced(
  server: ServerProcess,
  { partitions, records }: { readonly partitions: number; readonly records: number },
): Promise<readonly (readonly string[])[]> {
  await createTopic(server, 'hello', partitions)
  const values: string[][] = Array.from({ length: partitions }, () => [])
  for (let number = 0; number < records; number++) {
    await produceTo(server, 'hello', number % partitions, `record ${number}`)
    values[number % partitions]?.push(`record ${number}`)
  }
  return values
}

/** All values. Their offsets have no gap. */
async function read(server: ServerProcess, partition: number): Promise<readonly string[]> {
  const values = await topicValues(server, 'hello', partition)
  expect(Object.keys(values)).toHaveLength(values.length)
  return values
}

/** Damages the objects that were put last, as a power loss does: the newest is cut off, the others have zeros in place of all or of some of their bytes. */
async function tearNewest(count: number): Promise<void> {
  const volumes = join(folder.path, 'objects', '~volumes')
  const newest = join(volumes, (await readdir(volumes)).toSorted().at(-1) ?? '')
  const bytes = await readFile(newest)
  const frames: number[] = []
  for (let at = bytes.indexOf('LKSF'); at >= 0; at = bytes.indexOf('LKSF', at + 1)) frames.push(at)
  expect(frames.length).toBeGreaterThanOrEqual(count)
  const torn = frames.slice(-count)
  for (const [index, start] of torn.entries()) bytes.fill(0, index % 2 === 0 ? start : start + 200, torn[index + 1] ?? bytes.length)
  await writeFile(newest, bytes.subarray(0, torn.at(-1)))
}

/** The mark of the boot that the directory was last used in is another one's. */
async function asIfRestarted(): Promise<void> {
  await writeFile(join(folder.path, 'boot'), 'id 00000000-0000-4000-8000-000000000000')
}
