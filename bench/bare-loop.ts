// The baseline: a bare Node loop that reads the same frames, checks the same checksums and writes the same bytes with the same fsyncs, without implementing
// Kafka. For each group of frames it writes one new file with their batches and appends one entry to a log; `strict` syncs the file, its folder and the log, like
// the server. Arguments: FOLDER BATCH-AT (the offset of the batch in a produce frame) os|strict. Prints its port.
import { mkdir, open } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { nativeCrc32c as crc32c } from '../packages/agent/src/codecs.ts'

const [folderPath = '', batchAtText = '0', durability = 'os'] = process.argv.slice(2)
const batchAt = Number(batchAtText)
await mkdir(folderPath, { recursive: true })
const folder = await open(folderPath, 'r')
const log = await open(join(folderPath, 'log'), 'a')
/** The bytes that SQLite writes for a commit of one batch: some pages of its write-ahead log. */
const entry = Buffer.alloc(5 * 4_120)
const fetchBytes = 1024 * 1024
const layout = { length: 8, crc: 17, attributes: 21 }
const produceKey = 0
/** The newest files, for fetches. */
const stored: { readonly path: string; readonly sizeBytes: number }[] = []
let files = 0
let readAt = 0

const server = createServer({ noDelay: true }, (socket) => {
  let pending: Buffer[] = []
  let pendingBytes = 0
  let busy = false
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    pending.push(chunk)
    pendingBytes += chunk.length
    if (!busy) void drain()
  })

  async function drain(): Promise<void> {
    busy = true
    for (let frames = take(); frames.length > 0; frames = take()) {
      const batches: Buffer[] = []
      const answers: Buffer[] = []
      for (const frame of frames) {
        if (frame.readInt16BE(0) === produceKey) {
          batches.push(checked(frame.subarray(batchAt)))
          answers.push(answer(frame, 0))
        } else answers.push(answer(frame, fetchBytes), await next())
      }
      if (batches.length > 0) await store(batches)
      socket.cork()
      for (const bytes of answers) socket.write(bytes)
      socket.uncork()
    }
    busy = false
  }

  function take(): Buffer[] {
    const first = pending[0]
    if (first === undefined || pendingBytes < 4) return []
    if (first.length >= 4 && pendingBytes < 4 + first.readInt32BE(0)) return []
    const all = pending.length === 1 ? first : Buffer.concat(pending)
    const frames: Buffer[] = []
    let at = 0
    while (at + 4 <= all.length && at + 4 + all.readInt32BE(at) <= all.length) {
      const size = all.readInt32BE(at)
      frames.push(all.subarray(at + 4, at + 4 + size))
      at += 4 + size
    }
    pending = at < all.length ? [all.subarray(at)] : []
    pendingBytes = all.length - at
    return frames
  }
})

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

async function store(batches: readonly Buffer[]): Promise<void> {
  files += 1
  const path = join(folderPath, String(files))
  const file = await open(path, 'wx')
  const { bytesWritten } = await file.writev(batches)
  if (durability === 'strict') {
    await file.datasync()
    await folder.sync()
  }
  await file.close()
  await log.write(entry)
  if (durability === 'strict') await log.datasync()
  stored.push({ path, sizeBytes: bytesWritten })
}

/** About a megabyte of stored batches, with their checksums checked. */
async function next(): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(fetchBytes)
  let at = 0
  while (at < fetchBytes) {
    const { path, sizeBytes } = stored[readAt++ % stored.length] ?? { path: '', sizeBytes: 0 }
    const length = Math.min(sizeBytes, fetchBytes - at)
    const file = await open(path, 'r')
    await file.read(bytes, at, length, 0)
    await file.close()
    if (length === sizeBytes) for (let end = at + length, from = at; from < end; ) from += checked(bytes.subarray(from)).length
    at += length
  }
  return bytes
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(typeof address === 'object' ? address?.port : undefined)
})
process.on('SIGTERM', () => process.exit(0))
