// The worker thread of codec-thread.ts: it unpacks or packs one batch after another.
import { parentPort } from 'node:worker_threads'
import { compress, decompress, ProtocolError, UnpackedSizeError } from '@local-kafka-service/protocol'
import { nodeCodecs } from './codecs.ts'
import type { FromCodecThread, ToCodecThread } from './memory/codec-thread.ts'

const port = parentPort
if (port === null) throw new Error('codec-worker.ts runs as a worker thread')

port.on('message', (asked: ToCodecThread) => {
  const message = answerTo(asked)
  port.postMessage(message, message.kind === 'done' ? [message.bytes.buffer] : [])
})

/** Another error than that of the bytes ends the thread. */
function answerTo({ id, codec, bytes, maxBytes }: ToCodecThread): FromCodecThread {
  try {
    const done = maxBytes === undefined ? compress(codec, bytes, nodeCodecs) : decompress(codec, bytes, nodeCodecs, maxBytes)
    return { id, kind: 'done', bytes: withOwnMemory(done) }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return { id, kind: error instanceof UnpackedSizeError ? 'too large' : 'invalid', message: error.message }
  }
}

/** Small buffers lie in memory that Node shares between them, which must not leave the thread. */
function withOwnMemory(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length ? new Uint8Array(buffer) : new Uint8Array(bytes)
}
