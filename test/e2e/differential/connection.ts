// One raw connection to a server: frames out, frames in, in order. It says how an answer failed to come instead of failing.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { FrameSplitter } from '@local-kafka-service/protocol'

/** `closed`: the server ended the connection first. `silent`: it kept the connection and did not answer within the bound. */
export type Arrival = Uint8Array | 'closed' | 'silent'

const answerWithinMs = 10_000
const maxFrameBytes = 64 * 1024 * 1024

export class RawConnection {
  readonly #socket: Socket
  readonly #arrived: Uint8Array[] = []
  readonly #waiting: ((arrival: Arrival) => void)[] = []
  #closed = false

  private constructor(socket: Socket) {
    this.#socket = socket
    const splitter = new FrameSplitter({ maxBytes: maxFrameBytes })
    socket.on('data', (chunk: Uint8Array) => {
      splitter.push(chunk)
      while (splitter.size() !== undefined) {
        const frame = splitter.take()
        if (frame === undefined) return
        this.#arrive(frame)
      }
    })
    // The end of the connection is the answer that a test compares, with an error or without.
    socket.on('error', () => this.#close())
    socket.on('close', () => this.#close())
  }

  static async open({ host, port }: { readonly host: string; readonly port: number }): Promise<RawConnection> {
    const socket = connect({ host, port, noDelay: true })
    await once(socket, 'connect')
    return new RawConnection(socket)
  }

  get closed(): boolean {
    return this.#closed
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** The next frame without its size. Requests are answered in their order, so calls are, too. */
  async next(): Promise<Arrival> {
    const arrived = this.#arrived.shift()
    if (arrived !== undefined) return arrived
    if (this.#closed) return 'closed'
    return await new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(done), 1)
        resolve('silent')
      }, answerWithinMs)
      const done = (arrival: Arrival): void => {
        clearTimeout(timer)
        resolve(arrival)
      }
      this.#waiting.push(done)
    })
  }

  end(): void {
    this.#socket.destroy()
  }

  #arrive(frame: Uint8Array): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) this.#arrived.push(frame)
    else waiting(frame)
  }

  #close(): void {
    this.#closed = true
    for (const waiting of this.#waiting.splice(0)) waiting('closed')
  }
}
