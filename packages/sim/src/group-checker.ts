// What must hold of one consumer group: its generations, who owns what in each, and the offsets that it was told are committed.
import type { Checker } from './invariants.ts'

/** One OffsetCommit of one partition. The offset is never used twice, so that an offset that is read back names the commit it comes from. */
export interface CommitAttempt {
  readonly partition: number
  readonly offset: number
  readonly generation: number
  /** What was known to be answered when it was sent, as a count of answers. */
  readonly sentAt: number
  /** Undefined: nobody knows whether it was done. */
  outcome?: 'done' | 'refused'
  doneAt?: number
}

export interface Owned {
  readonly member: string
  readonly memberId: string
  readonly generation: number
  /** Which assignment of which leader this is a part of. */
  readonly assignment: string
  readonly partitions: readonly number[]
}

interface Generation {
  leader?: string
  assignment?: string
  readonly owners: Map<number, string>
}

export class GroupChecker {
  readonly #checker: Checker
  readonly #partitions: number
  readonly #generations = new Map<number, Generation>()
  readonly #attempts: CommitAttempt[][]
  #newest = 0
  #answers = 0
  #offset = 0
  #acknowledged = 0

  constructor(checker: Checker, partitions: number) {
    this.#checker = checker
    this.#partitions = partitions
    this.#attempts = Array.from({ length: partitions }, () => [])
  }

  /** The newest generation that any member has heard of. */
  get newest(): number {
    return this.#newest
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  /** `newestBefore` is of the time when the JoinGroup was sent. */
  joined(member: string, { generation, leader, newestBefore }: { generation: number; leader: string; newestBefore: number }): void {
    const known = this.#generation(generation)
    if (generation < newestBefore)
      this.#checker.violate('I30 a generation is never used twice', `${member} joined generation ${generation} after ${newestBefore}`)
    known.leader ??= leader
    if (known.leader !== leader)
      this.#checker.violate(
        'I30 a generation is never used twice',
        `generation ${generation} is led by ${known.leader}, and for ${member} by ${leader}`,
      )
    this.#newest = Math.max(this.#newest, generation)
  }

  assigned({ member, memberId, generation, assignment, partitions }: Owned): void {
    const known = this.#generation(generation)
    known.assignment ??= assignment
    if (known.assignment !== assignment)
      this.#checker.violate(
        'I30 a generation is never used twice',
        `generation ${generation} has the assignment ${known.assignment}, and for ${member} ${assignment}`,
      )
    for (const partition of partitions) {
      const owner = known.owners.get(partition)
      if (owner !== undefined && owner !== memberId)
        this.#checker.violate(
          'I31 a partition has one owner in a generation',
          `${partition} in generation ${generation}: ${owner} and ${memberId}`,
        )
      known.owners.set(partition, memberId)
    }
  }

  /** Every partition of the generation is owned by one of these. */
  ownedBy(generation: number, memberIds: ReadonlySet<string>): boolean {
    const { owners } = this.#generation(generation)
    return owners.size === this.#partitions && [...owners.values()].every((owner) => memberIds.has(owner))
  }

  commits(partition: number, generation: number): CommitAttempt {
    const attempt: CommitAttempt = { partition, offset: (this.#offset += 1), generation, sentAt: this.#answers }
    this.#attempts[partition]?.push(attempt)
    return attempt
  }

  /** `newestBefore` is of the time when it was sent. */
  committed(member: string, attempt: CommitAttempt, newestBefore: number): void {
    attempt.outcome = 'done'
    attempt.doneAt = this.#answers += 1
    this.#acknowledged += 1
    if (attempt.generation < newestBefore)
      this.#checker.violate(
        'I32 an old generation changes nothing',
        `${member} committed ${attempt.partition} in generation ${attempt.generation}, and ${newestBefore} was there`,
      )
  }

  refused(attempt: CommitAttempt): void {
    attempt.outcome = 'refused'
  }

  /** Of each partition the newest commit that is acknowledged now: what is asked from now on is it or a newer one. */
  acknowledgedNow(): readonly (CommitAttempt | undefined)[] {
    return this.#attempts.map((attempts) =>
      attempts.reduce<CommitAttempt | undefined>(
        (newest, each) => (each.outcome === 'done' && (newest === undefined || newer(each, newest)) ? each : newest),
        undefined,
      ),
    )
  }

  /** `least` is what acknowledgedNow said of the partition when it was asked. */
  fetched(member: string, { partition, offset }: { partition: number; offset: number }, least: CommitAttempt | undefined): void {
    const lost = (why: string): void =>
      this.#checker.violate(
        'I33 an acknowledged commit is there until a newer one',
        `${member} heard ${offset} for ${partition}, where ${least?.offset} of generation ${least?.generation} was acknowledged: ${why}`,
      )
    if (offset === -1) {
      if (least !== undefined) lost('it has none')
      return
    }
    const attempt = this.#attempts[partition]?.find((each) => each.offset === offset)
    if (attempt === undefined) return lost('nobody committed it')
    if (attempt.outcome === 'refused') return lost('it was refused')
    if (least === undefined) return
    if (attempt.generation < least.generation) return lost(`it is of generation ${attempt.generation}`)
    // One whose answer was lost may have been done after it; one that was done before it was sent is older.
    if (attempt.doneAt !== undefined && attempt.doneAt <= least.sentAt) lost('it is older')
  }

  #generation(generation: number): Generation {
    const known = this.#generations.get(generation)
    if (known !== undefined) return known
    const made: Generation = { owners: new Map() }
    this.#generations.set(generation, made)
    return made
  }
}

function newer(one: CommitAttempt, other: CommitAttempt): boolean {
  return one.generation > other.generation || (one.generation === other.generation && one.offset > other.offset)
}
