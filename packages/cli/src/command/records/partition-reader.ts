// Reads partitions without a group: each from its offset on, in order, to a given offset or indefinitely.
import { orAborted } from '@local-kafka-service/agent/abort'
import { type DecodedResponseOf, errors, Fetch } from '@local-kafka-service/protocol'
import { type Consumer, NetworkError, ProtocolError, protocolErrorsCodesById } from '@platformatic/kafka'
import { UserError } from 'local-kafka-service/internal/user-error'
import { hasApiError } from '../../cluster/client-errors.ts'
import type { ConsumedRecord } from './consumed-record.ts'
import { ask, BrokerExchange } from './exchange.ts'
import { type FetchedPartition, fetchedRecords, type UnreadableBatch } from './fetched-records.ts'
import { type IsolationLevel, isolationLevels } from './isolation.ts'
import { offsetsOf } from './partition-offsets.ts'
import type { PartitionProgress } from './partition-progress.ts'
import type { Retries } from './retries.ts'

/** The records of one partition in one answer. */
export interface RecordBlock {
  readonly reading: PartitionProgress
  readonly records: readonly ConsumedRecord[]
  /** The position after this block; never after `until` of the reading, even if the last batch is longer. */
  readonly next: bigint
}

/** The part of a client that `readPartitions` uses: a Consumer without a group and without its own retries. */
export type ReaderClient = Pick<Consumer, 'listApis' | 'connections' | 'metadata' | 'clearMetadata' | 'currentMetadata' | 'listOffsets'>

export interface ReaderOptions {
  readonly client: ReaderClient
  readonly readings: readonly PartitionProgress[]
  /** Topics that are followed as a whole: partitions added later are read from their start. */
  readonly whole?: readonly string[]
  readonly retries: Retries
  /** Default: read_committed. */
  readonly isolation?: IsolationLevel
  readonly signal: AbortSignal
  /** Prints a line for people, without a line feed. */
  readonly report: (line: string) => void
}

/**
 * Yields one broker's answer, and fetches from that broker again only at the next step: this follows the pace of a slow caller and keeps at most one
 * answer per broker in memory. Ends when every reading is at its end, or when the signal aborts. Rejects with a UserError.
 */
export async function* readPartitions({
  client,
  readings,
  whole = [],
  retries,
  isolation = 'read_committed',
  signal,
  report,
}: ReaderOptions): AsyncGenerator<readonly RecordBlock[]> {
  const exchange = new BrokerExchange(client)
  const inFlight = new Map<number, Promise<BrokerFetch>>()
  let waiting = readings.filter((reading) => !isDone(reading))
  // Only one fetch of a partition runs at a time, even if its leader changes; otherwise its records would arrive twice.
  const asked = new Set<PartitionProgress>()
  const known = new Map(whole.map((topic) => [topic, readings.filter((reading) => reading.topic === topic).length]))
  while (waiting.length > 0 && !signal.aborted) {
    waiting.push(...newPartitions(client, whole, known))
    const idle = waiting.filter((reading) => !asked.has(reading))
    for (const [node, led] of await retries.attempts(() => leadersOf(client, idle))) {
      if (inFlight.has(node)) continue
      for (const reading of led) asked.add(reading)
      inFlight.set(node, fetchFrom({ client, exchange, node, asked: led, isolation }))
    }
    const answer = await orAborted(Promise.race(inFlight.values()), signal, () => 'aborted' as const)
    if (answer === 'aborted') return
    inFlight.delete(answer.node)
    for (const reading of answer.asked) asked.delete(reading)
    if (answer.kind === 'failed') {
      client.clearMetadata()
      if (hasApiError(answer.error, 'OFFSET_OUT_OF_RANGE'))
        await retries.run(() => moveIntoRange(client, answer.asked, { isolation, report }))
      else await retries.failed(answer.error)
      continue
    }
    retries.succeeded()
    if (answer.blocks.length > 0) yield answer.blocks
    for (const { reading, next } of answer.blocks) reading.position = next
    if (answer.unreadable !== undefined) throw unreadableError(answer.unreadable)
    waiting = turned(waiting, answer.blocks).filter((reading) => !isDone(reading))
  }
}

type BrokerFetch =
  | {
      readonly kind: 'fetched'
      readonly node: number
      readonly asked: readonly PartitionProgress[]
      readonly blocks: readonly RecordBlock[]
      readonly unreadable: UnreadablePartition | undefined
    }
  | { readonly kind: 'failed'; readonly node: number; readonly asked: readonly PartitionProgress[]; readonly error: unknown }

/** Without a batch, the cluster answered that the stored bytes at the position are damaged. */
interface UnreadablePartition {
  readonly reading: PartitionProgress
  readonly batch: UnreadableBatch | undefined
}

/** The limit of each fetch. A larger record arrives alone and whole. */
const maxBytes = 8 * 1024 * 1024
const maxBytesPerPartition = 1024 * 1024
const maxWaitMs = 1_000

function isDone({ position, until }: PartitionProgress): boolean {
  return until !== undefined && position >= until
}

/** The partitions that the topics have gained; they are known afterwards. */
function newPartitions(client: ReaderClient, topics: readonly string[], known: Map<string, number>): readonly PartitionProgress[] {
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

/** Grouped by leader; -1 for a partition without a leader. */
async function leadersOf(
  client: ReaderClient,
  readings: readonly PartitionProgress[],
): Promise<ReadonlyMap<number, readonly PartitionProgress[]>> {
  const metadata = await client.metadata({ topics: [...new Set(readings.map(({ topic }) => topic))] })
  return Map.groupBy(readings, ({ topic, partition }) => metadata.topics.get(topic)?.partitions[partition]?.leader ?? -1)
}

/** By name, which every version up to this one supports: a topic that is created again under its name is read on. */
const newestFetch = 12

interface FetchFrom {
  readonly client: ReaderClient
  readonly exchange: BrokerExchange
  readonly node: number
  readonly asked: readonly PartitionProgress[]
  readonly isolation: IsolationLevel
}

async function fetchFrom({ client, exchange, node, asked, isolation }: FetchFrom): Promise<BrokerFetch> {
  try {
    const broker = client.currentMetadata?.brokers.get(node)
    if (broker === undefined) throw new NetworkError(`Broker ${node} leads partitions, and the cluster does not say where it is.`)
    const version = await exchange.versionOf(Fetch, newestFetch)
    const response = await ask(await exchange.connectionTo(broker), Fetch, version, {
      replicaId: -1,
      maxWaitMs,
      minBytes: 1,
      maxBytes,
      isolationLevel: isolationLevels[isolation],
      topics: [...Map.groupBy(asked, ({ topic }) => topic)].map(([topic, readings]) => ({
        topic,
        partitions: readings.map(({ partition, position }) => ({
          partition,
          fetchOffset: Number(position),
          partitionMaxBytes: maxBytesPerPartition,
        })),
      })),
      forgottenTopicsData: [],
    })
    return { kind: 'fetched', node, asked, ...blocksOf(response, asked) }
  } catch (error) {
    return { kind: 'failed', node, asked, error }
  }
}

/** Throws a ProtocolError of the client library if the answer is an error, for one partition or for all. */
function blocksOf(
  { errorCode, responses }: DecodedResponseOf<typeof Fetch>,
  asked: readonly PartitionProgress[],
): { readonly blocks: readonly RecordBlock[]; readonly unreadable: UnreadablePartition | undefined } {
  throwIfError(errorCode ?? 0)
  for (const { partitions } of responses) for (const one of partitions) if (!isDamaged(one)) throwIfError(one.errorCode)
  const blocks: RecordBlock[] = []
  let unreadable: UnreadablePartition | undefined
  for (const { topic, partitions } of responses) {
    for (const answered of partitions) {
      const reading = asked.find((one) => one.topic === topic && one.partition === answered.partitionIndex)
      if (reading === undefined) continue
      if (isDamaged(answered)) {
        unreadable ??= { reading, batch: undefined }
        continue
      }
      const block = blockOf(reading, answered)
      if (block.next > reading.position) blocks.push(block)
      // Records before the batch are printed first: the next fetch then begins with the batch.
      else if (block.unreadable !== undefined) unreadable ??= { reading, batch: block.unreadable }
    }
  }
  return { blocks, unreadable }
}

/** Exported for its test. */
export function blockOf(
  reading: PartitionProgress,
  answered: FetchedPartition,
): RecordBlock & { readonly unreadable: UnreadableBatch | undefined } {
  const { topic, partition, position, until } = reading
  const { records, next, unreadable } = fetchedRecords(answered, { topic, partition, from: position })
  return {
    reading,
    records: records.filter(({ offset }) => isWanted(offset, reading)),
    next: until === undefined || next < until ? next : until,
    unreadable,
  }
}

function isDamaged({ errorCode }: { readonly errorCode: number }): boolean {
  return errorCode === errors.CORRUPT_MESSAGE.code
}

function throwIfError(code: number): void {
  if (code === 0) return
  const id = (protocolErrorsCodesById as Readonly<Record<number, string | undefined>>)[code]
  throw new ProtocolError(id ?? 'UNKNOWN_SERVER_ERROR')
}

function unreadableError({ reading: { topic, partition, position }, batch }: UnreadablePartition): UserError {
  const behind = (batch?.lastOffset ?? position) + 1n
  const past = [
    `read the records after it: lks consume ${topic} -p ${partition} -O ${behind}`,
    `move a group past it: lks group seek GROUP --to ${behind} --topics ${topic}:${partition} --yes`,
  ]
  if (batch === undefined) {
    return new UserError('LKS-4017', {
      what: `${topic}[${partition}]: offset ${position} cannot be read`,
      why: 'the cluster answered that the stored bytes are damaged (CORRUPT_MESSAGE)',
      fix: [
        ...past,
        `on Local Kafka Service, find all damage with lks doctor storage, and make all consumers pass over it: lks topic skip-damaged ${topic} -p ${partition}`,
      ],
    })
  }
  const { firstOffset, lastOffset, codec, why } = batch
  const offsets = firstOffset === lastOffset ? `offset ${firstOffset}` : `offsets ${firstOffset} to ${lastOffset}`
  return new UserError('LKS-4103', {
    what: `${topic}[${partition}]: the batch at ${offsets} cannot be read (${codec === 'none' ? 'not compressed' : codec})`,
    why,
    fix: past,
  })
}

function isWanted(offset: bigint, { notBefore, until }: PartitionProgress): boolean {
  return offset >= notBefore && (until === undefined || offset < until)
}

/** Partitions that were just served go to the end, because a broker fills its answer from the front. */
function turned(readings: readonly PartitionProgress[], blocks: readonly RecordBlock[]): PartitionProgress[] {
  const served = new Set(blocks.map(({ reading }) => reading))
  return [...readings.filter((reading) => !served.has(reading)), ...readings.filter((reading) => served.has(reading))]
}

/** Records were removed, or a log was truncated, while it was read: reports this, and continues with the remaining records. */
async function moveIntoRange(
  client: ReaderClient,
  asked: readonly PartitionProgress[],
  { isolation, report }: { readonly isolation: IsolationLevel; readonly report: ReaderOptions['report'] },
): Promise<void> {
  for (const reading of asked) {
    const { topic, partition, position } = reading
    const [start, end] = await Promise.all([
      offsetsOf(client, { topic, partitions: [partition], at: 'start', isolation }),
      offsetsOf(client, { topic, partitions: [partition], at: 'end', isolation }),
    ])
    const first = start.get(partition) ?? position
    const last = end.get(partition) ?? position
    if (position < first) {
      report(`${topic}[${partition}]: offsets ${position} to ${first - 1n} were removed before they were read`)
      reading.position = first
    } else if (position > last) {
      report(`${topic}[${partition}]: its log now ends at ${last}, before the next offset ${position}; reading continues at ${last}`)
      reading.position = last
    }
  }
}
