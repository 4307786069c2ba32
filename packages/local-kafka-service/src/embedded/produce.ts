// Turns the input of `produce` into records of a topic: text to bytes, keys to partitions.
import type { AgentOperations, RecordToAppend } from '@local-kafka-service/agent'
import { partitionOfKey } from '@local-kafka-service/protocol'
import type { RecordInput, RecordRef } from './record.ts'
import { RefusedError } from './rejection-error.ts'
import { rejectionOf, withRejections } from './rejections.ts'
import { findOrMake } from './topics.ts'

export class Producer {
  readonly #parts: Pick<AgentOperations, 'topics' | 'records'>
  /** By topic: the partition for the next call's records without a key. */
  readonly #next = new Map<string, number>()

  constructor(parts: Pick<AgentOperations, 'topics' | 'records'>) {
    this.#parts = parts
  }

  async produce(topic: string, given: readonly (string | RecordInput)[]): Promise<RecordRef[]> {
    const inputs = given.map((one, index) => checked(one, `record ${index} of produce('${topic}', …)`))
    if (inputs.length === 0) return []
    const { partitions } = await withRejections(findOrMake(this.#parts, topic))
    const keyless = this.#turn(topic, partitions, inputs)
    const records = inputs.map((input) => toAppend(input, { partitions, keyless }))
    const answers = await withRejections(this.#parts.records.append({ topic, records, signal: new AbortController().signal }))
    return answers.map((answer) => {
      if (answer.kind === 'key reused') throw new RangeError('a record without an idempotency key cannot reuse one')
      if (answer.kind !== 'appended') throw rejectionOf(answer)
      const { partition, offset, timestamp } = answer
      return { topic, partition, offset, timestamp }
    })
  }

  #turn(topic: string, partitions: number, inputs: readonly Input[]): number {
    const turn = (this.#next.get(topic) ?? 0) % partitions
    if (inputs.some(({ key, partition }) => key === null && partition === undefined)) this.#next.set(topic, turn + 1)
    return turn
  }
}

interface Input extends Omit<RecordToAppend, 'partition'> {
  readonly partition: number | undefined
}

function checked(given: string | RecordInput, where: string): Input {
  if (typeof given === 'string') return { key: null, value: utf8(given), headers: [], partition: undefined }
  if (typeof given !== 'object' || given === null || ArrayBuffer.isView(given))
    throw new TypeError(`${where} is not a valid record: use a string or an object { key, value, headers, partition, timestamp }`)
  const { key = null, headers = {}, partition, timestamp } = given
  const stamp = timestamp === undefined ? undefined : Number(timestamp)
  if (stamp !== undefined && (!Number.isSafeInteger(stamp) || stamp < 0))
    throw new TypeError(`${where} has the timestamp ${String(timestamp)}; use a Date or milliseconds since the epoch`)
  return {
    key: bytesOf(key, `the key of ${where}`),
    value: valueOf(given, where),
    headers: Object.entries(headers).map(([name, value]) => ({ key: name, value: bytesOf(value, `header ${name} of ${where}`) })),
    partition,
    ...(stamp !== undefined && { timestamp: stamp }),
  }
}

function valueOf({ value, json }: RecordInput, where: string): Uint8Array | null {
  if (json !== undefined && value !== undefined) throw new TypeError(`${where} has both value and json; use one of them`)
  if (json !== undefined) {
    const text = JSON.stringify(json)
    if (text === undefined) throw new TypeError(`${where}: its json is ${typeof json}, which JSON does not support`)
    return utf8(text)
  }
  if (value === undefined) throw new TypeError(`${where} has no value; use null for a tombstone, or json for a value to serialize`)
  return bytesOf(value, `the value of ${where}`)
}

/** Without `instanceof`: bytes may come from another realm, as in Jest. */
export function bytesOf(given: string | Uint8Array | null, what: string): Uint8Array | null {
  if (given === null) return null
  if (typeof given === 'string') return utf8(given)
  if (!ArrayBuffer.isView(given)) throw new TypeError(`${what} is ${typeof given}; use a string, a Uint8Array or null`)
  return new Uint8Array(given.buffer, given.byteOffset, given.byteLength)
}

function toAppend({ partition, ...input }: Input, of: { readonly partitions: number; readonly keyless: number }): RecordToAppend {
  if (partition !== undefined && (!Number.isInteger(partition) || partition < 0 || partition >= of.partitions))
    throw new RefusedError('UNKNOWN_TOPIC_OR_PARTITION', `partition ${partition} does not exist: the topic has 0 to ${of.partitions - 1}`)
  const chosen = input.key === null ? of.keyless : partitionOfKey(input.key, of.partitions)
  return { ...input, partition: partition ?? chosen }
}

function utf8(text: string): Uint8Array {
  return Buffer.from(text)
}
