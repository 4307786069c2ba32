// A record of a log, as HTTP and an embedded server return it.

export interface LogRecord {
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch: the producer's time or the time of the append, depending on the topic's message.timestamp.type. */
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[]
  /** The codec of its batch: `gzip`, `snappy`, `lz4` or `zstd`. Absent: the batch is not compressed. */
  readonly compression?: string
  /** Present when the record was produced in a transaction. */
  readonly transactional?: true
  /** Present when parts of the record are cut: the original lengths of these parts. */
  readonly cut?: { readonly keyBytes?: number; readonly valueBytes?: number; readonly headerCount?: number }
}
