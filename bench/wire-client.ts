// A Kafka client with minimal cost: it encodes frames once, sends them repeatedly, and counts responses by their sizes.
import { connect, type Socket } from 'node:net'
import { type Api, type DecodedResponseOf, decodeResponse, encodeRequest, type RequestInputOf } from '@local-kafka-service/protocol'

export class WireClient {
  readonly #socket: Socket
  readonly #waiting: ((frame: Buffer) => void)[] = []
  readonly #failed = Promise.withResolvers<never>()
  #chunks: Buffer[] = []
  #buffered = 0
  #correlationId = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#failed.promise.catch(() => {}) // a caller that waits for a response gets the rejection
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', (error) => this.#failed.reject(error))
    socket.on('close', () => this.#failed.reject(new Error('the server closed the connection')))
  }

  static async open(port: number, host = '127.0.0.1'): Promise<WireClient> {
    const socket = connect({ port, host, noDelay: true })
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new WireClient(socket)
  }

  /** The frame of the response, without its size. */
  send(frame: Uint8Array): Promise<Buffer> {
    const answer = new Promise<Buffer>((resolve) => this.#waiting.push(resolve))
    this.#socket.write(frame)
    return Promise.race([answer, this.#failed.promise])
  }

  async ask<A extends Api>(api: A, version: number, request: RequestInputOf<A>): Promise<DecodedResponseOf<A>> {
    this.#correlationId += 1
    const frame = encodeRequest(api, { version, correlationId: this.#correlationId, clientId: 'bench' }, request)
    return decodeResponse(api, version, await this.send(Buffer.concat(frame))).response
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
    while (this.#buffered >= 4) {
      const first = this.#chunks[0]
      if (first === undefined) return
      if (first.length < 4) {
        this.#chunks = [Buffer.concat(this.#chunks)]
        continue
      }
      const size = first.readInt32BE(0)
      if (this.#buffered < 4 + size) return
      const all = first.length >= 4 + size ? first : Buffer.concat(this.#chunks)
      const rest = all.subarray(4 + size)
      this.#chunks = all === first ? [rest, ...this.#chunks.slice(1)] : [rest]
      if (rest.length === 0) this.#chunks.shift()
      this.#buffered -= 4 + size
      this.#waiting.shift()?.(all.subarray(4, 4 + size))
    }
  }
}

export interface Load {
  readonly inFlight: number
  readonly seconds: number
  /** It ends early when so many are sent. */
  readonly requests?: number
  readonly check: (answer: Buffer) => void
}

/** Keeps `inFlight` copies of the request in flight for `seconds`. Returns the number of responses, and the latency of each if only one was in flight at a time. */
export async function load(
  client: WireClient,
  frame: Uint8Array,
  { inFlight, seconds, requests = Number.POSITIVE_INFINITY, check }: Load,
): Promise<{ readonly answered: number; readonly seconds: number; readonly latenciesMs: readonly number[] }> {
  const began = performance.now()
  const ends = began + seconds * 1_000
  const latenciesMs: number[] = []
  let sentCount = 0
  let answered = 0
  const lane = async (): Promise<void> => {
    while (performance.now() < ends && sentCount < requests) {
      sentCount += 1
      const sent = performance.now()
      check(await client.send(frame))
      latenciesMs.push(performance.now() - sent)
      answered += 1
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  return { answered, seconds: (performance.now() - began) / 1_000, latenciesMs }
}
