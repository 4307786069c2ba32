// Reads all records of a topic without a consumer.
import type { AgentOperations, LogRecord, QueryCursor, Unreadable } from '@local-kafka-service/agent'
import { checkOptionNames } from './option-names.ts'
import { bytesOf } from './produce.ts'
import { KafkaRecord, type RecordsQuery } from './record.ts'
import { rejectionOf, withRejections } from './rejections.ts'
import { find } from './topics.ts'

export async function readRecords(
  parts: Pick<AgentOperations, 'topics' | 'records'>,
  topic: string,
  query: RecordsQuery,
): Promise<KafkaRecord[]> {
  checkOptionNames('records', query)
  const { partition, key, since, until, limit = Number.POSITIVE_INFINITY } = query
  const { partitions } = await withRejections(find(parts, topic))
  if (partition !== undefined && !(Number.isInteger(partition) && partition >= 0 && partition < partitions))
    throw new RangeError(`records('${topic}'): partition ${partition} does not exist; the topic has 0 to ${partitions - 1}`)
  const wantedKey = key === undefined ? null : bytesOf(key, `the key of records('${topic}')`)
  const filter = {
    ...(wantedKey !== null && { key: wantedKey }),
    ...(since !== undefined && { since: Number(since) }),
    ...(until !== undefined && { until: Number(until) }),
  }
  const records: KafkaRecord[] = []
  let cursor: QueryCursor | undefined
  do {
    const asked = { topic, filter, limit: Number.MAX_SAFE_INTEGER, signal: new AbortController().signal }
    const answer = await withRejections(parts.records.query({ ...asked, ...(cursor !== undefined && { cursor }) }))
    if (answer.kind !== 'scanned') throw rejectionOf(answer)
    const [broken] = answer.unreadable
    if (broken !== undefined) throw unreadableError(topic, broken)
    for (const record of answer.records) {
      if (partition !== undefined && record.partition !== partition) continue
      if (records.length >= limit) return records
      records.push(recordOf(topic, record))
    }
    cursor = answer.cursor
  } while (cursor !== undefined)
  return records
}

/** A copy with its own bytes: a test that changes them changes nothing here. */
export function recordOf(topic: string, { partition, offset, timestamp, key, value, headers }: LogRecord): KafkaRecord {
  return new KafkaRecord({
    topic,
    partition,
    offset,
    timestamp,
    key: own(key),
    value: own(value),
    headers: headers.map((header) => ({ key: header.key, value: own(header.value) })),
  })
}

export function unreadableError(topic: string, { partition, from, to, message }: Unreadable): Error {
  return new Error(`${topic}[${partition}] @${from} to @${to}: the batch of its producer cannot be read: ${message}`)
}

function own(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes)
}
