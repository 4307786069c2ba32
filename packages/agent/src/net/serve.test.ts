// The Kafka port over real sockets: addresses, many clients, and an orderly shutdown.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { ApiVersions, decodeResponse, encodeRequest, Fetch, FrameSplitter, Metadata, Produce } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import type { AnyHandler } from '../api/handler.ts'
import { handlers } from '../api/index.ts'
import { type AgentForTests, aBatch, anAgent } from '../api/testing/an-agent.ts'
import { defaultLimits, fixedLimits } from '../limits.ts'
import { aPool } from '../memory/testing/a-pool.ts'
import { GatedObjects } from '../objects/testing/gated-objects.ts'
import { AnswerMemory } from '../read/answer-memory.ts'
import { settings } from '../settings.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import type { Socket as KafkaSocket, Network, NetworkEvents, SocketEvents } from './network.ts'
import { advertisedOn, type KafkaPort, type KafkaPortOptions, serveKafka } from './serve.ts'
import { tcpNetwork } from './tcp.ts'
import { FakeSocket } from './testing/fake-socket.ts'

const loopback = [{ host: '127.0.0.1', port: 0 }]

function served(kafka: AgentForTests, more: Partial<KafkaPortOptions> = {}): Promise<KafkaPort> {
  return serveKafka({
    network: tcpNetwork,
    listen: loopback,
    handlers,
    services: kafka.services,
    memory: aPool(),
    limits: defaultLimits,
    ...more,
  })
}

class Client {
  readonly socket: Socket
  readonly closed: Promise<void>
  readonly #frames = new FrameSplitter({ maxBytes: 100_000_000 })
  #arrived = Promise.withResolvers<void>()

  constructor(port: number, host = '127.0.0.1') {
    this.socket = connect(port, host)
    this.closed = new Promise((resolve) => this.socket.on('close', () => resolve()))
    this.socket.on('error', () => {})
    this.socket.on('data', (chunk: Uint8Array) => {
      this.#frames.push(chunk)
      this.#arrived.resolve()
      this.#arrived = Promise.withResolvers()
    })
  }

  /** Rejects when the connection ends first. */
  async frame(): Promise<Uint8Array> {
    for (;;) {
      const frame = this.#frames.take()
      if (frame !== undefined) return frame
      const ended = await Promise.race([this.#arrived.promise.then(() => false), this.closed.then(() => true)])
      if (ended && this.#frames.bufferedBytes === 0) throw new Error('the connection ended')
    }
  }

  send(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.socket.write(chunk)
  }
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('not there')
  return value
}

function header(version: number, correlationId: number) {
  return { version, correlationId, clientId: null }
}

const correlationOf = (frame: Uint8Array): number => Buffer.from(frame).readInt32BE(0)

test('a client gets ApiVersions, and Metadata has the address that it connected to', async () => {
  await using kafka = await anAgent()
  const port = await served(kafka)
  const at = port.addresses[0]?.port ?? 0
  const client = new Client(at)
  client.send(encodeRequest(ApiVersions, header(0, 1), {}))
  client.send(encodeRequest(Metadata, header(9, 2), { topics: null }))
  expect(decodeResponse(ApiVersions, 0, await client.frame()).response.errorCode).toBe(0)
  expect(decodeResponse(Metadata, 9, await client.frame()).response.brokers).toMatchObject([{ host: '127.0.0.1', port: at }])
  expect(port.connections).toBe(1)
  client.socket.destroy()
  port.close()
  await client.closed
})

test('with port 0 all addresses get the same port, and localhost covers both address families', async () => {
  await using kafka = await anAgent()
  const port = await served(kafka, { listen: [{ host: 'localhost', port: 0 }] })
  expect(new Set(port.addresses.map((address) => address.port)).size).toBe(1)
  expect(port.addresses.map(({ host }) => host)).toContain('127.0.0.1')
  port.close()
})

test('a port that is taken fails with EADDRINUSE, and no address stays open', async () => {
  await using kafka = await anAgent()
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const taken = other.address()
  if (taken === null || typeof taken === 'string') throw new Error('no port')
  await expect(served(kafka, { listen: [{ host: '127.0.0.1', port: taken.port }] })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  other.close()
})

test('an address of another machine fails', async () => {
  await using kafka = await anAgent()
  await expect(served(kafka, { listen: [{ host: '192.0.2.1', port: 0 }] })).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
})

test('a hostile client loses its connection, and no other does', async () => {
  await using kafka = await anAgent()
  const port = await served(kafka)
  const at = port.addresses[0]?.port ?? 0
  const [good, bad] = [new Client(at), new Client(at)]
  bad.socket.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  await bad.closed
  good.send(encodeRequest(ApiVersions, header(0, 1), {}))
  expect(correlationOf(await good.frame())).toBe(1)
  expect(kafka.events).toContainEqual(expect.objectContaining({ kind: 'protocol error' }))
  port.close()
  await good.closed
})

test.each([
  ['TLS', Buffer.from('16030100c8010000c40303', 'hex'), /security\.protocol=PLAINTEXT/],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), /control plane/],
])('a client that speaks %s to the Kafka port is reported as such, with what to do', async (protocol, bytes, advice) => {
  await using kafka = await anAgent()
  const port = await served(kafka)
  const client = new Client(port.addresses[0]?.port ?? 0)
  client.socket.write(bytes)
  await client.closed
  expect(kafka.events).toContainEqual({
    kind: 'protocol error',
    connectionId: 1,
    client: { id: undefined, software: undefined, address: '127.0.0.1' },
    request: undefined,
    message: expect.stringContaining(`the bytes are ${protocol}`),
    advice: expect.stringMatching(advice),
  })
  port.close()
})

test('a long poll blocks its own connection only', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const port = await served(kafka)
  const at = port.addresses[0]?.port ?? 0
  const [waiting, other] = [new Client(at), new Client(at)]
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
  waiting.send(encodeRequest(Fetch, header(12, 1), { maxWaitMs: 60_000, minBytes: 1, topics: [{ topic: 't', partitions }] }))
  waiting.send(encodeRequest(ApiVersions, header(0, 2), {}))
  const topicData = [{ name: 't', partitionData: [{ index: 0, records: aBatch(['v']) }] }]
  other.send(encodeRequest(Produce, header(9, 3), { acks: -1, timeoutMs: 10_000, topicData }))
  expect(correlationOf(await other.frame())).toBe(3)
  expect(correlationOf(await waiting.frame())).toBe(1)
  expect(correlationOf(await waiting.frame())).toBe(2)
  port.close()
  await Promise.all([waiting.closed, other.closed])
})

test('a client beyond max.connections is disconnected, and accepted again after another has closed', async () => {
  await using kafka = await anAgent()
  const services = { ...kafka.services, settings: settings('dev', { 'max.connections': { value: '1', source: 'flag' } }) }
  const port = await served(kafka, { services })
  const at = port.addresses[0]?.port ?? 0
  const first = new Client(at)
  first.send(encodeRequest(ApiVersions, header(0, 1), {}))
  await first.frame()
  const second = new Client(at)
  await second.closed
  first.socket.end()
  await first.closed
  const third = new Client(at)
  third.send(encodeRequest(ApiVersions, header(0, 3), {}))
  expect(correlationOf(await third.frame())).toBe(3)
  port.close()
  await third.closed
})

test('H5: a client that reads nothing is disconnected when the answers of others find no memory, with one event', async () => {
  await using kafka = await anAgent()
  const clock = new ManualClock()
  const sockets: FakeSocket[] = []
  let accept: NetworkEvents['onConnection'] | undefined
  const network: Network = {
    listen: (addresses, events) => {
      accept = events.onConnection
      return Promise.resolve({ addresses, close: () => Promise.resolve() })
    },
    connect: () => Promise.reject(new Error('there is no other agent')),
  }
  const answerMemory = new AnswerMemory(1_000)
  const claim = answerMemory.claim()
  const answers: AnyHandler = {
    ...there(handlers.find(({ api }) => api.key === Fetch.key)),
    handle: () => {
      claim.reserve(1_000)
      return Promise.resolve({ kind: 'now', response: {}, sent: () => claim.release() })
    },
  }
  const port = await served(kafka, { network, handlers: [answers], services: { ...kafka.services, ioClock: clock, answerMemory } })
  const open = (): SocketEvents => {
    const socket = new FakeSocket()
    sockets.push(socket)
    return there(accept)(socket)
  }
  const stuck = open()
  open()
  there(sockets[0]).taking = false
  stuck.data(Buffer.concat(encodeRequest(Fetch, header(12, 1), { maxWaitMs: 0, minBytes: 0, topics: [] })))
  await clock.advance(1)
  expect(answerMemory.usedBytes).toBe(1_000)
  for (let ms = 0; ms <= fixedLimits.answerStallMs; ms += fixedLimits.answerStallCheckMs) {
    expect(answerMemory.claim().reserve(1)).toBe(false)
    await clock.advance(fixedLimits.answerStallCheckMs)
  }
  expect(sockets.map(({ state }) => state)).toEqual(['destroyed', 'open'])
  stuck.closed()
  expect(answerMemory.usedBytes).toBe(0)
  expect(kafka.events.filter(({ kind }) => kind === 'gave way')).toMatchObject([{ address: '10.0.0.9', held: 'answers' }])
  port.close()
})

test('H5: the progress of a slow reader is visible within one large answer', async () => {
  const taken = Promise.withResolvers<void>()
  let written: KafkaSocket | undefined
  const listener = await tcpNetwork.listen(loopback, {
    onAcceptError: (error) => taken.reject(error),
    onConnection: (socket) => {
      written = socket
      socket.write([Buffer.alloc(10), Buffer.alloc(64_000_000)])
      return { data() {}, drained: () => taken.resolve(), closed() {} }
    },
  })
  const reader = connect(there(listener.addresses[0]).port, '127.0.0.1')
  let arrivedBytes = 0
  const pendingBytes = new Set<number>()
  reader.on('data', ({ length }) => {
    arrivedBytes += length
    pendingBytes.add(there(written).pendingBytes)
  })
  await taken.promise
  await expect.poll(() => arrivedBytes).toBe(64_000_010)
  expect(pendingBytes.size).toBeGreaterThan(10)
  expect(there(written).pendingBytes).toBe(0)
  reader.destroy()
  await listener.close()
})

test('H8: without room, a connection that never sent a request gives way to a new one', async () => {
  await using kafka = await anAgent()
  const services = { ...kafka.services, settings: settings('dev', { 'max.connections': { value: '2', source: 'flag' } }) }
  const port = await served(kafka, { services })
  const at = port.addresses[0]?.port ?? 0
  const asks = async (): Promise<Client> => {
    const client = new Client(at)
    client.send(encodeRequest(ApiVersions, header(0, 1), {}))
    await client.frame()
    return client
  }
  const first = await asks()
  const silent = new Client(at)
  await expect.poll(() => port.connections).toBe(2)
  await asks()
  await silent.closed
  expect(first.socket.destroyed).toBe(false)
  const rejected = new Client(at)
  await rejected.closed
  expect(kafka.events.flatMap((event) => (event.kind === 'gave way' || event.kind === 'connection rejected' ? [event.kind] : []))).toEqual([
    'gave way',
    'connection rejected',
  ])
  port.close()
})

test('a drain ends long polls, answers admitted requests, closes every connection, and accepts no new one', async () => {
  const objects = new GatedObjects()
  await using kafka = await anAgent({ wrap: () => objects })
  await kafka.topic('t')
  const port = await served(kafka)
  const at = port.addresses[0]?.port ?? 0
  const [poller, producer, idle] = [new Client(at), new Client(at), new Client(at)]
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
  poller.send(encodeRequest(Fetch, header(12, 1), { maxWaitMs: 60_000, minBytes: 1, topics: [{ topic: 't', partitions }] }))
  const topicData = [{ name: 't', partitionData: [{ index: 0, records: aBatch(['v']) }] }]
  producer.send(encodeRequest(Produce, header(9, 2), { acks: -1, timeoutMs: 10_000, topicData }))
  idle.send(encodeRequest(ApiVersions, header(0, 3), {}))
  await idle.frame()
  await expect.poll(() => objects.waiting.length).toBe(1)
  await expect.poll(() => kafka.events.filter((event) => event.kind === 'request' && event.api === 'Fetch').length).toBe(1)
  port.stopAccepting()
  const drained = port.drain()
  expect(correlationOf(await poller.frame())).toBe(1)
  await objects.land()
  const { response } = decodeResponse(Produce, 9, await producer.frame())
  expect(response.responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 0 })
  await drained
  await Promise.all([poller.closed, producer.closed, idle.closed])
  expect(port.connections).toBe(0)
  const late = new Client(at)
  await late.closed
  expect(late.socket.bytesRead).toBe(0)
})

test('a client gets the address that it connected to, or localhost on its own machine if both address families are served', () => {
  const both = [
    { host: '127.0.0.1', port: 9092 },
    { host: '::1', port: 9092 },
  ]
  expect(advertisedOn({ host: '::1', port: 9092 }, both)).toEqual({ host: 'localhost', port: 9092 })
  expect(advertisedOn({ host: '127.0.0.1', port: 9092 }, [{ host: '127.0.0.1', port: 9092 }])).toEqual({ host: '127.0.0.1', port: 9092 })
  expect(advertisedOn({ host: '10.1.2.3', port: 9092 }, [{ host: '0.0.0.0', port: 9092 }])).toEqual({ host: '10.1.2.3', port: 9092 })
})
