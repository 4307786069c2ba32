// Reads as a member of a group: the assigned partitions, from the group's position in each, until the assignment changes.
import { onAbort } from '@local-kafka-service/agent/abort'
import type { Consumer } from '@platformatic/kafka'
import type { IsolationLevel } from './isolation.ts'
import type { OffsetCommitter } from './offset-committer.ts'
import type { OffsetRange } from './offset-range.ts'
import { readingsOf } from './partition-offsets.ts'
import type { PartitionProgress } from './partition-progress.ts'
import { type ReaderClient, type ReaderOptions, type RecordBlock, readPartitions } from './partition-reader.ts'

/** The part of the client library's Consumer that a member needs. */
export type GroupMembership = Pick<
  Consumer,
  'topics' | 'joinGroup' | 'generationId' | 'assignments' | 'groupId' | 'on' | 'listCommittedOffsets' | 'commit'
>

export interface GroupReaderOptions extends Omit<ReaderOptions, 'readings'> {
  /** Joins, sends heartbeats and commits; `client` reads, so that a long poll does not delay a heartbeat. */
  readonly member: GroupMembership
  readonly committer: OffsetCommitter
  readonly topics: readonly string[]
  /** The start of partitions without a committed offset, and the end of all. */
  readonly range: OffsetRange
}

/** Like readPartitions. Ends when this member's partitions are read to their end. Rejects with an error of the client library when the membership is lost. */
export async function* readAsMember(options: GroupReaderOptions): AsyncGenerator<readonly RecordBlock[]> {
  const { member, committer, client, retries, topics, range, isolation = 'read_committed', signal, report } = options
  const changes = new GroupChanges(member, signal)
  member.topics.trackAll(...topics)
  await member.joinGroup({})
  let before: GenerationReads = { generation: -1, readings: [] }
  const ends = new Map<string, bigint>()
  while (!signal.aborted) {
    const round = changes.nextRound()
    const generation = member.generationId
    const assignments = member.assignments ?? []
    report(assignmentView(member.groupId, assignments))
    const committed = await retries.run(() => committedReadings(member, client, { assignments, range, isolation }))
    const kept = generation === before.generation + 1 ? before.readings : []
    const readings = committed.map((reading) => withFirstEnd(continued(reading, kept), ends))
    committer.assigned({ generation, kept: readings.filter((reading) => kept.some((one) => isSame(one, reading))), places: readings })
    before = { generation, readings }
    yield* readPartitions({ client, readings, retries, isolation, signal: round, report })
    changes.throwIfLost()
    if (signal.aborted || (range.until !== undefined && !round.aborted)) return
    await changes.joined(round)
  }
}

/** What this member read in one generation of the group. */
interface GenerationReads {
  readonly generation: number
  readonly readings: readonly PartitionProgress[]
}

/** A partition that this member keeps continues at its position, even if its last commit is still pending, so no record is printed twice. */
function continued(reading: PartitionProgress, kept: readonly PartitionProgress[]): PartitionProgress {
  const mine = kept.find((one) => isSame(one, reading))
  return mine === undefined || mine.position <= reading.position
    ? reading
    : { ...reading, position: mine.position, notBefore: mine.position }
}

/** The end is taken when this member first gets the partition: repeated rebalances must not move it. */
function withFirstEnd(reading: PartitionProgress, ends: Map<string, bigint>): PartitionProgress {
  if (reading.until === undefined) return reading
  const key = `${reading.topic}:${reading.partition}`
  const until = ends.get(key) ?? reading.until
  ends.set(key, until)
  return { ...reading, until }
}

function isSame(a: PartitionProgress, b: PartitionProgress): boolean {
  return a.topic === b.topic && a.partition === b.partition
}

type Assignments = readonly { readonly topic: string; readonly partitions: readonly number[] }[]

/** Changes of the membership, which the client library emits as events. */
class GroupChanges {
  readonly #signal: AbortSignal
  #round = new AbortController()
  #joinCount = 0
  #lost: Error | undefined
  #wake: (() => void) | undefined

  constructor(member: Pick<GroupMembership, 'on'>, signal: AbortSignal) {
    this.#signal = signal
    member.on('consumer:group:rebalance', () => this.#round.abort())
    member.on('consumer:group:join', () => {
      this.#joinCount += 1
      this.#round.abort()
      this.#wake?.()
    })
    // The library has stopped rejoining.
    member.on('error', (error: Error) => {
      this.#lost = error
      this.#round.abort()
      this.#wake?.()
    })
    onAbort(signal, () => this.#wake?.())
  }

  /** Aborts when the assignment is no longer valid, or when the command ends. */
  nextRound(): AbortSignal {
    this.#round = new AbortController()
    this.#joinCount = 0
    return AbortSignal.any([this.#round.signal, this.#signal])
  }

  /** Settles when there is a new assignment, or when the command ends. */
  async joined(round: AbortSignal): Promise<void> {
    while (!(round.aborted && this.#joinCount > 0) && !this.#signal.aborted) {
      this.throwIfLost()
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  throwIfLost(): void {
    if (this.#lost !== undefined) throw this.#lost
  }
}

async function committedReadings(
  member: Pick<GroupMembership, 'listCommittedOffsets'>,
  client: ReaderClient,
  { assignments, range, isolation }: { readonly assignments: Assignments; readonly range: OffsetRange; readonly isolation: IsolationLevel },
): Promise<readonly PartitionProgress[]> {
  if (assignments.length === 0) return []
  const committed = await member.listCommittedOffsets({
    topics: assignments.map(({ topic, partitions }) => ({ topic, partitions: [...partitions] })),
  })
  const found = await Promise.all(assignments.map(({ topic, partitions }) => readingsOf(client, { topic, partitions, range, isolation })))
  return found.flat().map((reading): PartitionProgress => {
    const offset = committed.get(reading.topic)?.[reading.partition]
    return offset === undefined || offset < 0n ? reading : { ...reading, position: offset, notBefore: offset }
  })
}

function assignmentView(group: string, assignments: Assignments): string {
  const parts = assignments
    .filter(({ partitions }) => partitions.length > 0)
    .map(({ topic, partitions }) => `${topic}[${partitions.join(',')}]`)
  return parts.length === 0
    ? `a member of group ${group}, without a partition: other members have all of them`
    : `a member of group ${group}, reading ${parts.join(' ')}`
}
