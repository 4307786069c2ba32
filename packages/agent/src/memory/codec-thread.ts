// The thread that unpacks and packs what Node does only synchronously: it starts with the first large batch, and ends after a while without one.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type CodecName, ProtocolError, UnpackedSizeError } from '@local-kafka-service/protocol'
import { fixedLimits } from '../limits.ts'
import type { Clock, Timer } from '../time/clock.ts'
import { CodecThreadError } from './unpacker.ts'

/** The memory of `bytes` belongs to the thread. `maxBytes`: the most that they may unpack to; undefined: they are to be packed. */
export interface ToCodecThread {
  readonly id: number
  readonly codec: CodecName
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly maxBytes: number | undefined
}

/** Errors lose their class on the way between threads. `too large`: the records unpack to more than `maxBytes`. */
export type FromCodecThread =
  | { readonly id: number; readonly kind: 'done'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly id: number; readonly kind: 'too large' | 'invalid'; readonly message: string }

interface RunningThread {
  readonly worker: Worker
  readonly pending: Map<number, PromiseWithResolvers<Uint8Array>>
}

/** The one that all servers of the process share. */
export function codecThreadOfProcess(clock: Pick<Clock, 'after'>): CodecThread {
  return (ofProcess ??= new CodecThread(clock))
}

let ofProcess: CodecThread | undefined

export class CodecThread {
  readonly #clock: Pick<Clock, 'after'>
  readonly #file: () => URL
  #thread: RunningThread | undefined
  #idle: Timer | undefined
  #lastId = 0

  constructor(clock: Pick<Clock, 'after'>, file: () => URL = ownFile) {
    this.#clock = clock
    this.#file = file
  }

  get isRunning(): boolean {
    return this.#thread !== undefined
  }

  /** The bytes are copied at once. Rejects as `decompress` throws, and with a CodecThreadError if the thread ended before its answer. */
  unpacked(codec: CodecName, packed: Uint8Array, maxBytes: number): Promise<Uint8Array> {
    return this.#done(codec, packed, maxBytes)
  }

  /** The bytes are copied at once. Rejects with a CodecThreadError if the thread ended before its answer. */
  packed(codec: CodecName, bytes: Uint8Array): Promise<Uint8Array> {
    return this.#done(codec, bytes, undefined)
  }

  #done(codec: CodecName, bytes: Uint8Array, maxBytes: number | undefined): Promise<Uint8Array> {
    this.#idle?.cancel()
    this.#thread ??= this.#start()
    const { worker, pending } = this.#thread
    this.#lastId += 1
    const message: ToCodecThread = { id: this.#lastId, codec, bytes: new Uint8Array(bytes), maxBytes }
    const answer = Promise.withResolvers<Uint8Array>()
    pending.set(message.id, answer)
    worker.postMessage(message, [message.bytes.buffer])
    return answer.promise
  }

  #start(): RunningThread {
    const file = this.#file()
    // It does not inherit the process's own flags: a program from `node -e`, or a custom loader, would break it. From source it needs the conditions.
    const worker = new Worker(file, { name: 'lks codecs', ...(file.pathname.endsWith('.ts') ? {} : { execArgv: [] }) })
    const thread: RunningThread = { worker, pending: new Map() }
    let why = 'The thread of the codecs ended.'
    worker.on('message', (message: FromCodecThread) => {
      settle(thread, message)
      if (thread.pending.size === 0) this.#endWhenIdle(thread)
    })
    worker.on('error', (error) => {
      why = `The thread of the codecs failed: ${String(error)}`
    })
    worker.on('exit', () => {
      this.#forget(thread)
      for (const { reject } of thread.pending.values()) reject(new CodecThreadError(why))
      thread.pending.clear()
    })
    // This comes last: listening for messages refs the process again.
    worker.unref()
    return thread
  }

  /** WebAssembly keeps the memory of the largest batch that it has seen: it goes with the thread. */
  #endWhenIdle(thread: RunningThread): void {
    this.#idle?.cancel()
    this.#idle = this.#clock.after(fixedLimits.codecThreadIdleMs, () => {
      this.#forget(thread)
      void thread.worker.terminate()
    })
  }

  #forget(thread: RunningThread): void {
    if (this.#thread === thread) this.#thread = undefined
  }
}

function ownFile(): URL {
  return pathToFileURL(createRequire(import.meta.url).resolve('#codec-worker'))
}

function settle({ pending }: RunningThread, message: FromCodecThread): void {
  const answer = pending.get(message.id)
  pending.delete(message.id)
  if (message.kind === 'done') answer?.resolve(message.bytes)
  else answer?.reject(message.kind === 'too large' ? new UnpackedSizeError(message.message) : new ProtocolError(message.message))
}
