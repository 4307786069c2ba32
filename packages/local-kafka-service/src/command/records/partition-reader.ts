// Reads partitions without a group: from an offset of each on, in their order, until an offset of each or for ever.
import type { Consumer } from '@platformatic/kafka'
import { hasApiError } from '../../cluster/client-errors.ts'
import { orAborted } from './abortable.ts'
import { fetchedRecords } from './fetched-records.ts'
import type { KafkaRecord } from './kafka-record.ts'
import { offsetsOf } from './partition-offsets.ts'
import type { Patience } from './patience.ts'

/** Where reading stands in one partition. The reader moves it behind a block when the next is asked for; who stops within a block may say where. */
export interface Reading {
  readonly topic: string
  readonly partition: number
  /** The next offset to fetch. */
  position: bigint
  /** Records before it are not wanted: an offset that is not there yet was asked for. */
  readonly notBefore: bigint
  /** Exclusive. */
  readonly until: bigint | undefined
}

/** What came of one partition in one answer. */
export interface Block {
  readonly reading: Reading
  readonly records: readonly KafkaRecord[]
  /** The position behind this block. */
  readonly next: bigint
}

export interface ReaderOptions {
  /** Without a group and without retries of its own. */
  readonly client: Consumer
  readonly readings: readonly Reading[]
  /** Of topics that are followed as a whole: partitions that they get later are read from their begin. */
  readonly whole?: readonly string[]
  readonly patience: Patience
  readonly signal: AbortSignal
  /** For people, without its line break. */
  readonly tell: (line: string) => void
}

/**
 * Yields what one broker answered, and asks that broker again only after the next step: who is slow is waited for, and at most one answer per
 * broker is in memory. Ends when every reading is at its end, or when the signal aborts. Rejects with a UserError.
 */
export async function* readPartitions({
  client,
  readings,
  whole = [],
  patience,
  signal,
  tell,
}: ReaderOptions): AsyncGenerator<readonly Block[]> {
  const inFlight = new Map<number, Promise<Answer>>()
  let waiting = readings.filter((reading) => !isDone(reading))
  // A partition is asked for once at a time, also when its leader changes meanwhile: it would come twice.
  const asked = new Set<Reading>()
  const known = new Map(whole.map((topic) => [topic, readings.filter((reading) => reading.topic === topic).length]))
  while (waiting.length > 0 && !signal.aborted) {
    waiting.push(...newPartitions(client, whole, known))
    const idle = waiting.filter((reading) => !asked.has(reading))
    for (const [node, led] of await patience.through(() => leadersOf(client, idle))) {
      if (inFlight.has(node)) continue
      for (const { reading } of led) asked.add(reading)
      inFlight.set(node, fetchFrom(client, node, led))
    }
    const answer = await orAborted(Promise.race(inFlight.values()), signal)
    if (answer === 'aborted') return
    inFlight.delete(answer.node)
    for (const { reading } of answer.asked) asked.delete(reading)
    if (answer.kind === 'failed') {
      client.clearMetadata()
      if (hasApiError(answer.error, 'OFFSET_OUT_OF_RANGE')) await patience.through(() => moveIntoRange(client, answer.asked, tell))
      else await patience.failed(answer.error)
      continue
    }
    patience.succeeded()
    if (answer.blocks.length > 0) yield answer.blocks
    for (const { reading, next } of answer.blocks) reading.position = next
    waiting = turned(waiting, answer.blocks).filter((reading) => !isDone(reading))
  }
}

type Answer =
  | { readonly kind: 'fetched'; readonly node: number; readonly asked: readonly Led[]; readonly blocks: readonly Block[] }
  | { readonly kind: 'failed'; readonly node: number; readonly asked: readonly Led[]; readonly error: unknown }

interface Led {
  readonly reading: Reading
  readonly topicId: string
}

/** Of each fetch. A record that is larger comes alone, whole. */
const maxBytes = 8 * 1024 * 1024
const maxBytesPerPartition = 1024 * 1024
const maxWaitMs = 1_000

function isDone({ position, until }: Reading): boolean {
  return until !== undefined && position >= until
}

/** Those that the topics have by now, and that nobody knew; they are known then. */
function newPartitions(client: Consumer, topics: readonly string[], known: Map<string, number>): readonly Reading[] {
  return topics.flatMap((topic) => {
    const before = known.get(topic) ?? 0
    const now = Math.max(before, client.currentMetadata?.topics.get(topic)?.partitionsCount ?? 0)
    known.set(topic, now)
    return Array.from({ length: now - before }, (_, at) => ({
      topic,
      partition: before + at,
      position: 0n,
      notBefore: 0n,
      until: undefined,
    }))
  })
}

/** By leader. Rejects where a partition has none at the moment. */
async function leadersOf(client: Consumer, readings: readonly Reading[]): Promise<ReadonlyMap<number, readonly Led[]>> {
  const metadata = await client.metadata({ topics: [...new Set(readings.map(({ topic }) => topic))] })
  return Map.groupBy(
    readings.map((reading) => ({ reading, topicId: metadata.topics.get(reading.topic)?.id ?? '' })),
    ({ reading: { topic, partition } }) => metadata.topics.get(topic)?.partitions[partition]?.leader ?? -1,
  )
}

async function fetchFrom(client: Consumer, node: number, asked: readonly Led[]): Promise<Answer> {
  try {
    const response = await client.fetch({
      node,
      maxBytes,
      maxWaitTime: maxWaitMs,
      topics: [...Map.groupBy(asked, ({ topicId }) => topicId)].map(([topicId, led]) => ({
        topicId,
        partitions: led.map(({ reading: { partition, position } }) => ({
          partition,
          fetchOffset: position,
          partitionMaxBytes: maxBytesPerPartition,
          currentLeaderEpoch: -1,
          lastFetchedEpoch: -1,
        })),
      })),
    })
    const blocks: Block[] = []
    for (const { topicId, partitions } of response.responses) {
      for (const answered of partitions) {
        // A fetch session may answer what was not asked for any more.
        const reading = asked.find((led) => led.topicId === topicId && led.reading.partition === answered.partitionIndex)?.reading
        if (reading === undefined) continue
        const { records, next } = fetchedRecords(answered, { topic: reading.topic, partition: reading.partition, from: reading.position })
        if (next > reading.position) blocks.push({ reading, records: records.filter(({ offset }) => isWanted(offset, reading)), next })
      }
    }
    return { kind: 'fetched', node, asked, blocks }
  } catch (error) {
    return { kind: 'failed', node, asked, error }
  }
}

function isWanted(offset: bigint, { notBefore, until }: Reading): boolean {
  return offset >= notBefore && (until === undefined || offset < until)
}

/** Those that were just served go behind the others: a broker fills its answer from the front. */
function turned(readings: readonly Reading[], blocks: readonly Block[]): Reading[] {
  const served = new Set(blocks.map(({ reading }) => reading))
  return [...readings.filter((reading) => !served.has(reading)), ...readings.filter((reading) => served.has(reading))]
}

/** Records were removed, or a log was cut, while it was read: said, and gone on from what is there. */
async function moveIntoRange(client: Consumer, asked: readonly Led[], tell: ReaderOptions['tell']): Promise<void> {
  for (const { reading } of asked) {
    const { topic, partition, position } = reading
    const [start, end] = await Promise.all([
      offsetsOf(client, { topic, partitions: [partition], at: 'start' }),
      offsetsOf(client, { topic, partitions: [partition], at: 'end' }),
    ])
    const first = start.get(partition) ?? position
    const last = end.get(partition) ?? position
    if (position < first) {
      tell(`${topic}[${partition}]: offsets ${position} to ${first - 1n} were removed before they were read`)
      reading.position = first
    } else if (position > last) {
      tell(`${topic}[${partition}]: it ends at ${last} now, before offset ${position} that was to come next; reading on from there`)
      reading.position = last
    }
  }
}
