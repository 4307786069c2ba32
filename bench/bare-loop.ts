// The baseline: a bare Node loop that receives the same frames, checks the same checksums and writes the same bytes with the same syncs, without implementing Kafka.
// It is as fast as we know how: sockets read into one buffer that is used again, frames are collected in a slab that is used again, batches are appended from there to
// one open file, and a fetch reads into a buffer that is used again. For each group of frames it appends their batches to the file and one entry to a log, on the event
// loop; `strict` syncs both in the thread pool. Arguments: FOLDER BATCH-AT (the offset of the batch in a produce frame) os|strict. Prints its port.
import { fdatasync, openSync, readSync, writeSync, writevSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createServer, Socket } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { nativeCrc32c as crc32c } from '../packages/agent/src/codecs.ts'

const [folder = '', batchAtText = '0', durability = 'os'] = process.argv.slice(2)
const batchAt = Number(batchAtText)
const synced = promisify(fdatasync)
await mkdir(folder, { recursive: true })
const file = openSync(join(folder, 'batches'), 'wx+')
const log = openSync(join(folder, 'log'), 'wx')
/** The bytes that SQLite writes for a commit of one batch: some pages of its write-ahead log. */
const entry = Buffer.alloc(5 * 4_120)
const receiveBytes = 256 * 1024
/** More than the frames of one connection that are in flight. */
const slabBytes = 16 * 1024 * 1024
const fetchBytes = 1024 * 1024
const layout = { length: 8, crc: 17, attributes: 21 }
const produceKey = 0
/** All batches have this size. */
let batchBytes = 0
let storedBytes = 0
let readAt = 0

/** A file descriptor's socket with a buffer of its own choice is not public for accepted connections; its handle is. */
interface Accepted {
  readonly _handle: unknown
}

class Connection {
  readonly #socket: Socket
  readonly #received = Buffer.allocUnsafeSlow(receiveBytes)
  /** Frames are collected in one slab while the group in the other one is synced. */
  #slab = Buffer.allocUnsafeSlow(slabBytes)
  #spare = Buffer.allocUnsafeSlow(slabBytes)
  readonly #fetched = Buffer.allocUnsafeSlow(fetchBytes)
  #filled = 0
  #busy = false

  constructor(accepted: Socket) {
    // The cast is safe because every accepted socket has a handle, which Node does not document.
    const handle = (accepted as unknown as Accepted)._handle
    const onread = { buffer: this.#received, callback: (length: number) => this.#receive(length) }
    this.#socket = new Socket({ handle, onread } as ConstructorParameters<typeof Socket>[0])
    this.#socket.setNoDelay(true)
    this.#socket.on('error', () => this.#socket.destroy()).resume()
  }

  #receive(length: number): boolean {
    if (this.#filled + length > slabBytes) throw new Error('more frames in flight than the slab can hold')
    this.#received.copy(this.#slab, this.#filled, 0, length)
    this.#filled += length
    if (!this.#busy) void this.#drain()
    return true
  }

  async #drain(): Promise<void> {
    this.#busy = true
    for (let frames = this.#take(); frames.length > 0; frames = this.#take()) {
      const batches: Buffer[] = []
      const answers: Buffer[] = []
      let fetches = 0
      for (const frame of frames) {
        if (frame.readInt16BE(0) === produceKey) {
          batches.push(checked(frame.subarray(batchAt)))
          answers.push(answer(frame, 0))
        } else {
          answers.push(answer(frame, fetchBytes))
          fetches += 1
        }
      }
      if (fetches > 1) throw new Error('more than one fetch in flight: their buffer is one')
      if (batches.length > 0) store(batches)
      if (batches.length > 0 && durability === 'strict') await Promise.all([synced(file), synced(log)])
      this.#socket.cork()
      for (const bytes of answers) this.#socket.write(bytes)
      if (fetches > 0) this.#socket.write(next(this.#fetched))
      this.#socket.uncork()
    }
    this.#busy = false
  }

  /** The whole frames so far. They are valid until the next but one call, because the slabs take turns. */
  #take(): readonly Buffer[] {
    const frames: Buffer[] = []
    let at = 0
    while (at + 4 <= this.#filled) {
      const end = at + 4 + this.#slab.readInt32BE(at)
      if (end > this.#filled) break
      frames.push(this.#slab.subarray(at + 4, end))
      at = end
    }
    if (frames.length === 0) return frames
    this.#slab.copy(this.#spare, 0, at, this.#filled)
    this.#filled -= at
    const taken = this.#slab
    this.#slab = this.#spare
    this.#spare = taken
    return frames
  }
}

function checked(bytes: Buffer): Buffer {
  const batch = bytes.subarray(0, bytes.readInt32BE(layout.length) + 12)
  if (crc32c(batch.subarray(layout.attributes)) !== batch.readUInt32BE(layout.crc)) throw new Error('a damaged batch')
  return batch
}

function answer(frame: Buffer, bodyBytes: number): Buffer {
  const bytes = Buffer.alloc(bodyBytes === 0 ? 64 : 8)
  bytes.writeInt32BE(bytes.length - 4 + bodyBytes, 0)
  bytes.writeInt32BE(frame.readInt32BE(4), 4)
  return bytes
}

function store(batches: readonly Buffer[]): void {
  batchBytes = batches[0]?.length ?? 0
  const sizeBytes = batches.length * batchBytes
  if (writevSync(file, batches, storedBytes) !== sizeBytes) throw new Error('a short write')
  storedBytes += sizeBytes
  writeSync(log, entry)
}

/** About a megabyte of stored batches, with the checksums of whole ones checked. */
function next(bytes: Buffer): Buffer {
  if (readAt + fetchBytes > storedBytes) readAt = 0
  if (readSync(file, bytes, 0, fetchBytes, readAt) !== fetchBytes) throw new Error('a fetch of fewer bytes than were stored')
  let at = 0
  for (; at + batchBytes <= fetchBytes; at += batchBytes) checked(bytes.subarray(at))
  readAt += at
  return bytes
}

const server = createServer({ pauseOnConnect: true }, (accepted) => void new Connection(accepted))
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(typeof address === 'object' ? address?.port : undefined)
})
process.on('SIGTERM', () => process.exit(0))
