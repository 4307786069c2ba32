// startKafka: a Kafka server in the calling process.
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type KafkaEvent, startKafka } from './index.ts'

test('one process can run several servers, each with its own port and cluster', async () => {
  await using one = await startKafka()
  await using two = await startKafka()
  expect(one.bootstrapServers).toBe(`127.0.0.1:${one.port}`)
  expect(one.port).not.toBe(two.port)
  expect(one.clusterId).not.toBe(two.clusterId)
  expect(one.urls).toBeUndefined()
  await reach(one.port)
  await reach(two.port)
})

test('after stop the port is free and closed; a second stop waits for the same end', async () => {
  const kafka = await startKafka()
  await Promise.all([kafka.stop(), kafka.stop()])
  expect(await kafka.ended).toBe('drained')
  await expect(reach(kafka.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await using again = await startKafka({ port: kafka.port })
  expect(again.port).toBe(kafka.port)
})

test('after kill a server has ended as killed', async () => {
  const kafka = await startKafka()
  await kafka.kill()
  expect(await kafka.ended).toBe('killed')
})

test('a busy port is reported, and nothing stays open', async () => {
  await using first = await startKafka()
  await expect(startKafka({ port: first.port })).rejects.toMatchObject({ name: 'UserError', code: 'LKS-1001' })
})

test('data in a directory is there after the next start, and only one server has it at a time', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'lks-embedded-'))
  try {
    const first = await startKafka({ dir, http: true })
    await expect(startKafka({ dir })).rejects.toMatchObject({ code: 'LKS-1101' })
    const created = await fetch(`${first.urls?.control}/topics`, { method: 'POST', body: '{"name":"kept","partitions":2}' })
    expect(created.status).toBe(200)
    await first.stop()
    await using second = await startKafka({ dir, http: true })
    expect(second.clusterId).toBe(first.clusterId)
    expect(await (await fetch(`${second.urls?.control}/topics/kept`)).json()).toMatchObject({ name: 'kept', partitions: 2 })
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

test('settings apply, and events are reported', async () => {
  const events: KafkaEvent[] = []
  await using kafka = await startKafka({ http: true, settings: { 'http.num.partitions': 7 }, onEvent: (event) => events.push(event) })
  const created = await fetch(`${kafka.urls?.control}/topics`, { method: 'POST', body: '{"name":"seven"}' })
  expect(await created.json()).toMatchObject({ partitions: 7 })
  expect(events).toContainEqual(expect.objectContaining({ kind: 'topic created', name: 'seven', partitions: 7 }))
})

test('a client that sends a request while the stores open is answered when they are open', async () => {
  const taken = await startKafka()
  await taken.stop()
  const starting = startKafka({ port: taken.port, storeLatencyMs: 200 })
  const socket = connect({ host: '127.0.0.1', port: taken.port })
  await once(socket, 'connect')
  expect(await Promise.race([starting, Promise.resolve('not yet')])).toBe('not yet')
  // ApiVersions 0 with correlation id 7 and no client id.
  socket.write(Uint8Array.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff]))
  const [answer] = (await once(socket, 'data')) as [Buffer]
  expect(answer.readInt32BE(4)).toBe(7)
  socket.destroy()
  await using _kafka = await starting
})

async function reach(port: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port })
  try {
    await once(socket, 'connect')
  } finally {
    socket.destroy()
  }
}
