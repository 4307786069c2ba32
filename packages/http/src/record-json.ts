// A record as JSON: text if its bytes are UTF-8, otherwise base64, which is marked.
import { isUtf8 } from 'node:buffer'
import { fixedLimits, type LogRecord } from '@local-kafka-service/agent'

export interface RecordJson {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly keyEncoding?: 'base64'
  readonly value: string | null
  readonly valueEncoding?: 'base64'
  readonly headers: readonly { readonly key: string; readonly value: string | null; readonly valueEncoding?: 'base64' }[]
  readonly compression?: string
  readonly transactional?: true
  readonly cut?: NonNullable<LogRecord['cut']>
}

/** A key in the form of an answer. */
export function keyJson(key: Uint8Array | null): Pick<RecordJson, 'key' | 'keyEncoding'> {
  const { text, base64 } = textOf(key)
  return { key: text, ...(base64 && { keyEncoding: 'base64' as const }) }
}

export function recordJson({ partition, offset, timestamp, key, value, headers, compression, transactional, cut }: LogRecord): RecordJson {
  const valueText = textOf(value)
  return {
    partition,
    offset,
    timestamp,
    ...keyJson(key),
    value: valueText.text,
    ...(valueText.base64 && { valueEncoding: 'base64' as const }),
    headers: headers.map((header) => {
      const headerText = textOf(header.value)
      return { key: header.key, value: headerText.text, ...(headerText.base64 && { valueEncoding: 'base64' as const }) }
    }),
    ...(compression !== undefined && { compression }),
    ...(transactional && { transactional }),
    ...(cut !== undefined && { cut }),
  }
}

// A byte order mark is part of the text, so that the bytes can be restored exactly.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(bytes: Uint8Array | null): { readonly text: string | null; readonly base64: boolean } {
  if (bytes === null) return { text: null, base64: false }
  if (isUtf8(bytes)) return { text: utf8.decode(bytes), base64: false }
  return { text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'), base64: true }
}

export const recordSchema = {
  type: 'object',
  required: ['partition', 'offset', 'timestamp', 'key', 'value', 'headers'],
  properties: {
    partition: { type: 'integer' },
    offset: { type: 'integer' },
    timestamp: { type: 'integer', description: 'Milliseconds since the epoch.' },
    key: { type: ['string', 'null'] },
    keyEncoding: { type: 'string', enum: ['base64'], description: 'Present when the key is not UTF-8.' },
    value: { type: ['string', 'null'] },
    valueEncoding: { type: 'string', enum: ['base64'], description: 'Present when the value is not UTF-8.' },
    headers: {
      type: 'array',
      items: {
        type: 'object',
        required: ['key', 'value'],
        properties: { key: { type: 'string' }, value: { type: ['string', 'null'] }, valueEncoding: { type: 'string', enum: ['base64'] } },
      },
    },
    compression: { type: 'string', description: 'The codec of its batch. Absent: the batch is not compressed.' },
    transactional: { type: 'boolean', description: 'Present when the record was produced in a transaction.' },
    cut: {
      type: 'object',
      description: `Present when the record is larger than ${fixedLimits.recordBytesPerAnswer} bytes as JSON, so that the answer has only its beginning: the original sizes of the parts that are cut. A Kafka client can read the whole record.`,
      properties: { keyBytes: { type: 'integer' }, valueBytes: { type: 'integer' }, headerCount: { type: 'integer' } },
    },
  },
} as const
