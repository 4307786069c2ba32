// A record as a test sees it: what is given to `produce`, where it went, and what was read.
import { shownRecord } from './shown.ts'

/** A record to produce. One of `value` and `json` must be there; null makes it a tombstone. */
export interface RecordInput {
  /** Null or left out: no key. Text is UTF-8. */
  readonly key?: string | Uint8Array | null
  /** Null: a tombstone. Text is UTF-8. */
  readonly value?: string | Uint8Array | null
  /** Instead of `value`: what becomes JSON. */
  readonly json?: unknown
  readonly headers?: Readonly<Record<string, string | Uint8Array | null>>
  /** Left out: the key chooses. */
  readonly partition?: number
  /** Milliseconds since the epoch, or a date. Left out: now. */
  readonly timestamp?: number | Date
}

/** Where a record is. */
export interface RecordRef {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
}

/** All of it must hold. */
export interface RecordsQuery {
  readonly partition?: number
  readonly key?: string | Uint8Array
  /** Milliseconds since the epoch, or dates: not older than `since`, older than `until`. */
  readonly since?: number | Date
  readonly until?: number | Date
  /** The first so many. */
  readonly limit?: number
}

export interface RecordParts extends RecordRef {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[]
}

/** A record as it is in its log: bytes, and what they say as text or JSON. It is a copy; to change it changes nothing. */
export class KafkaRecord implements RecordRef {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch: the producer's, or the time of the append where the topic says so. */
  readonly timestamp: number
  readonly key: Uint8Array | null
  /** Null: a tombstone. As the key, a Buffer at run time. */
  readonly value: Uint8Array | null
  /** In their order; a name may occur more than once. */
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

  /** The value as UTF-8; null of a tombstone. */
  text(): string | null {
    return this.value === null ? null : utf8(this.value)
  }

  /** The value, parsed. Throws an Error that names the record when it is no JSON. */
  json<T = unknown>(): T {
    const text = this.text()
    if (text === null) throw new TypeError(`${this.topic}[${this.partition}] @${this.offset} is a tombstone: it has no value to parse`)
    try {
      // In front of JSON it says nothing (RFC 8259, 8.1).
      return JSON.parse(text.replace(/^\ufeff/, '')) as T
    } catch (cause) {
      throw new TypeError(`the value of ${String(this)} is no JSON`, { cause })
    }
  }

  /** The key as UTF-8; null without one. */
  keyText(): string | null {
    return this.key === null ? null : utf8(this.key)
  }

  /** The value of the last header of this name as UTF-8; undefined without one. */
  headerText(name: string): string | null | undefined {
    const header = this.headers.findLast(({ key }) => key === name)
    if (header === undefined) return undefined
    return header.value === null ? null : utf8(header.value)
  }

  /** As a person reads it, long or binary contents cut. */
  toString(): string {
    return shownRecord(this)
  }

  /** What `console.log` and a runner's failure show. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `KafkaRecord ${shownRecord(this)}`
  }
}

function utf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

// A byte order mark is part of the text, as everywhere here: a test compares what came out with what went in.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
