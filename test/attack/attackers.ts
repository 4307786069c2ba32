// The parts of attacks: many sockets at once, an ordinary client beside them, and the memory of the server.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type ClientRequest, get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import {
  type Api,
  ApiVersions,
  buildBatch,
  type CodecName,
  crc32c,
  type DecodedResponseOf,
  decodeResponse,
  encodeRequest,
  errors,
  FrameSplitter,
  Metadata,
  Produce,
  type RequestInputOf,
} from '@local-kafka-service/protocol'
import type { WireClient } from '../../bench/wire-client.ts'
import { nodeCodecs } from '../../packages/agent/src/codecs.ts'

export interface Sockets extends AsyncDisposable {
  readonly sockets: readonly Socket[]
  /** How many the server has closed by now. */
  closedCount(): number
}

/** Connects one after another; a socket that the server closes later is counted. */
export async function openSockets(port: number, count: number): Promise<Sockets> {
  const sockets: Socket[] = []
  let closed = 0
  for (let opened = 0; opened < count; opened++) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.on('error', () => {}) // a reset is what some attacks are answered with; it counts as closed
    socket.on('close', () => closed++)
    sockets.push(socket)
  }
  return {
    sockets,
    closedCount: () => closed,
    async [Symbol.asyncDispose]() {
      const open = sockets.filter(({ closed: gone }) => !gone)
      const all = Promise.all(open.map((socket) => once(socket, 'close')))
      for (const socket of open) socket.destroy()
      await all
    },
  }
}

export interface Readers extends AsyncDisposable {
  /** All responses, in no order. */
  statuses(): readonly (number | undefined)[]
  /** One response with this status. */
  headers(status: number): IncomingHttpHeaders | undefined
}

/** Requests by GET, each over a connection of its own; of the answers nothing but the head is taken. Resolves when all heads are there. */
export async function openReaders(
  url: string,
  path: string,
  { count, accept = 'application/json' }: { readonly count: number; readonly accept?: string },
): Promise<Readers> {
  const requests: ClientRequest[] = []
  const answers = await Promise.all(
    Array.from({ length: count }, async () => {
      const sent = get(`${url}${path}`, { agent: false, headers: { accept } })
      requests.push(sent)
      const [answer] = (await once(sent, 'response')) as [IncomingMessage]
      answer.pause()
      answer.on('error', () => {}) // it is cut off in the end
      return answer
    }),
  )
  return {
    statuses: () => answers.map(({ statusCode }) => statusCode),
    headers: (status) => answers.find(({ statusCode }) => statusCode === status)?.headers,
    async [Symbol.asyncDispose]() {
      for (const request of requests) request.destroy()
      await Promise.resolve()
    },
  }
}

/** A request over a connection of its own: a kept-alive one may be closed by the server whenever it is idle. */
export async function httpGet(url: string): Promise<{ readonly status: number | undefined; readonly text: string }> {
  const [answer] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  // The cast: a response without an encoding gives bytes.
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return { status: answer.statusCode, text: Buffer.concat(chunks).toString() }
}

/** Records of one character again and again, each in a batch of its own. */
export async function produceRecords(
  kafka: string,
  topic: string,
  { count, bytes, fill, codec }: { readonly count: number; readonly bytes: number; readonly fill: string; readonly codec?: CodecName },
): Promise<void> {
  const value = Buffer.alloc(bytes, fill)
  const records = buildBatch(
    {
      baseTimestamp: 0,
      records: [{ offsetDelta: 0, timestamp: 0, key: null, value, headers: [] }],
      ...(codec && { compression: { codec, codecs: nodeCodecs } }),
    },
    crc32c,
  )
  const port = Number(kafka.slice(kafka.lastIndexOf(':') + 1))
  await ask(port, Metadata, 9, { topics: [{ name: topic }], allowAutoTopicCreation: true })
  for (let made = 0; made < count; ) {
    const topicData = [{ name: topic, partitionData: [{ index: 0, records: [records] }] }]
    const { responses } = await ask(port, Produce, 9, { acks: -1, timeoutMs: 30_000, topicData })
    const errorCode = responses[0]?.partitionResponses[0]?.errorCode
    if (errorCode === 0) made++
    else if (errorCode !== errors.UNKNOWN_TOPIC_OR_PARTITION.code) throw new Error(`a record was rejected with ${errorCode}`)
  }
}

/** A new client connects, asks what every client asks first, and is answered. Rejects when its connection ends instead. */
export async function ordinaryClientIsServed(port: number): Promise<void> {
  const { errorCode } = await ask(port, ApiVersions, 0, {})
  if (errorCode !== 0) throw new Error(`the ordinary client was answered with ${errorCode}`)
}

/** One request over an open connection. */
export async function call<A extends Api>(
  client: WireClient,
  api: A,
  version: number,
  body: RequestInputOf<A>,
): Promise<DecodedResponseOf<A>> {
  return decodeResponse(api, version, await client.send(frameOf(api, version, body))).response
}

/** The bytes of a request, to be sent again and again. */
export function frameOf<A extends Api>(api: A, version: number, body: RequestInputOf<A>): Buffer {
  return Buffer.concat(encodeRequest(api, { version, correlationId: 7, clientId: 'attacker' }, body))
}

/** One request over a connection of its own. Rejects when that ends before the answer. */
export async function ask<A extends Api>(port: number, api: A, version: number, body: RequestInputOf<A>): Promise<DecodedResponseOf<A>> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    socket.write(frameOf(api, version, body))
    const frames = new FrameSplitter({ maxBytes: 2_000_000 })
    for await (const chunk of socket) {
      // The cast: a socket without an encoding gives bytes.
      frames.push(chunk as Uint8Array)
      const frame = frames.take()
      if (frame !== undefined) return decodeResponse(api, version, frame).response
    }
    throw new Error('the ordinary client was closed')
  } finally {
    socket.destroy()
  }
}

/** The resident set of a process; 0 where the system does not tell. */
export function residentMiB(pid: number): number {
  if (process.platform !== 'linux') return 0
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}
