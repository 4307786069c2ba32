// A record as a test sees it: the input of `produce`, its position, and the record as read.
import { recordText } from './record-text.ts'

/** A record to produce. Exactly one of `value` and `json` is required; null makes it a tombstone. */
export interface RecordInput {
  /** Null or omitted: no key. Text is UTF-8. */
  readonly key?: string | Uint8Array | null
  /** Null: a tombstone. Text is UTF-8. */
  readonly value?: string | Uint8Array | null
  /** Instead of `value`: a value to serialize as JSON. */
  readonly json?: unknown
  readonly headers?: Readonly<Record<string, string | Uint8Array | null>>
  /** Omitted: the key decides. */
  readonly partition?: number
  /** Milliseconds since the epoch, or a date. Omitted: now. */
  readonly timestamp?: number | Date
}

/** The position of a record. */
export interface RecordRef {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
}

/** A record must match all fields. */
export interface RecordsQuery {
  readonly partition?: number
  readonly key?: string | Uint8Array
  /** Milliseconds since the epoch, or dates: not older than `since`, older than `until`. */
  readonly since?: number | Date
  readonly until?: number | Date
  /** At most this number of records, from the first. */
  readonly limit?: number
}

export interface RecordParts extends RecordRef {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[]
}

/** A record as it is in its log: bytes, with access to them as text or JSON. It is a copy; changes to it have no effect. */
export class KafkaRecord implements RecordRef {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch: the producer's, or the append time if the topic is configured so. */
  readonly timestamp: number
  readonly key: Uint8Array | null
  /** Null: a tombstone. A Buffer at run time, like the key. */
  readonly value: Uint8Array | null
  /** In order; a name may occur more than once. */
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[]

  constructor({ topic, partition, offset, timestamp, key, value, headers }: RecordParts) {
    this.topic = topic
    this.partition = partition
    this.offset = offset
    this.timestamp = timestamp
    this.key = key
    this.value = value
    this.headers = headers
  }

  /** The value as UTF-8; null for a tombstone. */
  text(): string | null {
    return this.value === null ? null : utf8(this.value)
  }

  /** The parsed value. Throws an Error that names the record if it is not valid JSON. */
  json<T = unknown>(): T {
    const text = this.text()
    if (text === null) throw new TypeError(`${this.topic}[${this.partition}] @${this.offset} is a tombstone: it has no value to parse`)
    try {
      // A byte order mark before JSON has no meaning (RFC 8259, 8.1).
      return JSON.parse(text.replace(/^\ufeff/, '')) as T
    } catch (cause) {
      throw new TypeError(`the value of ${String(this)} is not valid JSON`, { cause })
    }
  }

  /** The key as UTF-8; null if there is none. */
  keyText(): string | null {
    return this.key === null ? null : utf8(this.key)
  }

  /** The value of the last header of this name as UTF-8; undefined if there is none. */
  headerText(name: string): string | null | undefined {
    const header = this.headers.findLast(({ key }) => key === name)
    if (header === undefined) return undefined
    return header.value === null ? null : utf8(header.value)
  }

  /** For people, with long or binary contents shortened. */
  toString(): string {
    return recordText(this)
  }

  /** The output of `console.log` and of a runner's failure. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `KafkaRecord ${recordText(this)}`
  }
}

function utf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

// A byte order mark is part of the text, as everywhere here: a test compares output with input.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
