// Decodes a Produce request that kcat sent, and answers it: the records get the offsets 100, 101 and so on.
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import {
  type Codecs,
  checkBatch,
  crc32c,
  decodeRequest,
  decodeRequestHeader,
  encodeResponse,
  errors,
  Produce,
  type ProduceResponse,
  readRecords,
} from '@local-kafka-service/protocol'

// One request without the four bytes of its size: FrameSplitter cuts a socket's bytes into these.
const frame = Buffer.from(
  '0000000700000004000772646b61666b61ffffffff00007530000000010002673100000001000000000000005800000000000000000000004c00000000023c40' +
    '4360000000000002000001a2101c1a93000001a2101c1a93ffffffffffffffffffffffffffff0000000310000000026102310010000002026202320010000004' +
    '0263023300',
  'hex',
)

// The caller provides the codecs; a server that stores batches as they are needs none.
const missing = {
  compress: () => {
    throw new Error('this example has no such codec')
  },
  decompress: () => {
    throw new Error('this example has no such codec')
  },
}
const codecs: Codecs = {
  gzip: { compress: gzipSync, decompress: (bytes, maxBytes) => gunzipSync(bytes, { maxOutputLength: maxBytes }) },
  zstd: { compress: zstdCompressSync, decompress: (bytes, maxBytes) => zstdDecompressSync(bytes, { maxOutputLength: maxBytes }) },
  snappyBlock: missing,
  lz4Frame: missing,
}

const { apiKey, apiVersion, correlationId, clientId, bodyAt } = decodeRequestHeader(frame)
if (apiKey !== Produce.key) throw new Error(`this example does not handle API ${apiKey}`)
const request = decodeRequest(Produce, apiVersion, frame, bodyAt)
console.log(`${clientId} sends Produce ${apiVersion} with acks=${request.acks}`)

const response: ProduceResponse = {
  responses: request.topicData.map(({ name, partitionData }) => ({
    name,
    partitionResponses: partitionData.map(({ index, records }) => {
      const batch = records ?? new Uint8Array()
      const checked = checkBatch(batch, 0, crc32c)
      if (checked.kind === 'error') return { index, errorCode: errors.CORRUPT_MESSAGE.code, baseOffset: -1 }
      for (const { offsetDelta, key, value } of readRecords(batch, 0, codecs, 1024 * 1024)) {
        console.log(`${name}[${index}] @${100 + offsetDelta}: ${text(key)} = ${text(value)}`)
      }
      return { index, errorCode: errors.NONE.code, baseOffset: 100 }
    }),
  })),
}

// Chunks to write one after another: large fields are passed on and never copied.
const answer = Buffer.concat(encodeResponse(Produce, apiVersion, correlationId, response))
console.log(`answered with ${answer.length} bytes: ${answer.toString('hex')}`)

function text(bytes: Uint8Array | null): string {
  return bytes === null ? 'null' : new TextDecoder().decode(bytes)
}
