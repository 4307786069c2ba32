// The invariants of one consumer group: its generations, the partition owners in each, and its acknowledged offset commits.
import type { Checker } from './invariants.ts'

/** One OffsetCommit of one partition. Each offset is used only once, so that an offset that is read back identifies its commit. */
export interface CommitAttempt {
  readonly partition: number
  readonly offset: number
  readonly generation: number
  /** The member and the connection that sent it: the server handles the requests of a connection in order. */
  readonly line: string
  /** The number of answers that were known when it was sent. */
  readonly sentAt: number
  /** Undefined: it is unknown whether it was done. */
  outcome?: 'done' | 'rejected'
  doneAt?: number
}

/** One JoinGroup. */
export interface JoinAttempt {
  /** Empty: a static member without its id, which replaces the member that has its instance id. */
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly sentAt: number
  /** Another member was known to have its place when it was sent. */
  readonly replaced: boolean
  /** Undefined: it is unknown whether it was done. */
  answeredAt?: number
  gave?: string
}

export interface JoinedMember {
  readonly memberId: string
  readonly generation: number
  readonly leader: string
  /** Of the time when the JoinGroup was sent. */
  readonly newestBefore: number
  /** The partitions that it keeps working on meanwhile, and the generation that assigned them. */
  readonly held: { readonly generation: number; readonly partitions: readonly number[] }
}

export interface Owned {
  readonly member: string
  readonly memberId: string
  readonly generation: number
  /** The assignment of the leader that this is a part of. */
  readonly assignment: string
  readonly partitions: readonly number[]
}

interface Generation {
  leader?: string
  assignment?: string
  readonly owners: Map<number, string>
  /** By partition: the member that rightly claimed to own it when it joined. */
  readonly holders: Map<number, string>
}

export class GroupChecker {
  readonly #checker: Checker
  readonly #partitions: number
  readonly #generations = new Map<number, Generation>()
  readonly #attempts: CommitAttempt[][]
  readonly #joins: JoinAttempt[] = []
  readonly #replaced = new Set<string>()
  #newest = 0
  #answers = 0
  #offset = 0
  #acknowledged = 0

  constructor(checker: Checker, partitions: number) {
    this.#checker = checker
    this.#partitions = partitions
    this.#attempts = Array.from({ length: partitions }, () => [])
  }

  /** The newest generation that any member has received. */
  get newest(): number {
    return this.#newest
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  joins(memberId: string, groupInstanceId: string | null): JoinAttempt {
    const attempt = { memberId, groupInstanceId, sentAt: this.#answers, replaced: this.#replaced.has(memberId) }
    this.#joins.push(attempt)
    return attempt
  }

  joined(member: string, attempt: JoinAttempt, { memberId, generation, leader, newestBefore, held }: JoinedMember): void {
    this.#placed(member, attempt, memberId)
    const known = this.#generation(generation)
    if (generation < newestBefore)
      this.#checker.violate('I30 a generation is never used twice', `${member} joined generation ${generation} after ${newestBefore}`)
    known.leader ??= this.#identity(leader)
    if (known.leader !== this.#identity(leader))
      this.#checker.violate(
        'I30 a generation is never used twice',
        `generation ${generation} is led by ${known.leader}, and for ${member} by ${leader}`,
      )
    this.#newest = Math.max(this.#newest, generation)
    for (const partition of held.partitions) {
      // A static member may have missed a generation that assigned the partition to another member.
      if (held.generation < this.#lastGiven(partition, generation)) continue
      known.holders.set(partition, this.#identity(memberId))
      this.#keeps(generation, partition)
    }
  }

  /** Call this when the member sends a request; call the returned function when the server has accepted it. */
  speaks(memberId: string): (what: string) => void {
    const replaced = this.#replaced.has(memberId)
    return (what) => {
      if (replaced)
        this.#checker.violate('I35 requests of a replaced member are rejected', `${what} of ${memberId}, whose place another member had`)
    }
  }

  /** The member was fenced because another one has its place. */
  fenced(member: string, memberId: string): void {
    const own = this.#joins.find(({ gave }) => gave === memberId)
    if (own === undefined) return
    const rivals = this.#joins.filter((other) => other !== own && other.memberId === '' && other.groupInstanceId === own.groupInstanceId)
    if (!rivals.some(({ answeredAt }) => answeredAt === undefined || answeredAt > own.sentAt))
      this.#checker.violate(
        'I35 requests of a replaced member are rejected',
        `${member} is fenced as ${memberId}, and no member took its place`,
      )
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
      const [owner, identity] = [known.owners.get(partition), this.#identity(memberId)]
      if (owner !== undefined && owner !== identity)
        this.#checker.violate(
          'I31 a partition has one owner in a generation',
          `${partition} in generation ${generation}: ${owner} and ${memberId}`,
        )
      known.owners.set(partition, identity)
      this.#keeps(generation, partition)
    }
  }

  /** The last generation before this one that assigned the partition to a member. */
  #lastGiven(partition: number, before: number): number {
    let last = -1
    for (const [generation, { owners }] of this.#generations)
      if (generation < before && owners.has(partition)) last = Math.max(last, generation)
    return last
  }

  #keeps(generation: number, partition: number): void {
    const { owners, holders } = this.#generation(generation)
    const [owner, holder] = [owners.get(partition), holders.get(partition)]
    if (owner !== undefined && holder !== undefined && owner !== holder)
      this.#checker.violate(
        'I34 a partition that a member keeps is not assigned to another',
        `generation ${generation} gives ${partition} to ${owner}, and ${holder} claimed to own it`,
      )
  }

  /** Checks that one of these members owns each partition of the generation. */
  ownedBy(generation: number, memberIds: ReadonlySet<string>): boolean {
    const { owners } = this.#generation(generation)
    const identities = new Set([...memberIds].map((memberId) => this.#identity(memberId)))
    return owners.size === this.#partitions && [...owners.values()].every((owner) => identities.has(owner))
  }

  commits(partition: number, by: { readonly generation: number; readonly line: string }): CommitAttempt {
    const attempt: CommitAttempt = { partition, offset: (this.#offset += 1), sentAt: this.#answers, ...by }
    this.#attempts[partition]?.push(attempt)
    return attempt
  }

  /** `newestBefore` is the newest generation when the commit was sent. */
  committed(member: string, attempt: CommitAttempt, newestBefore: number): void {
    attempt.outcome = 'done'
    attempt.doneAt = this.#answers += 1
    this.#acknowledged += 1
    if (attempt.generation < newestBefore)
      this.#checker.violate(
        'I32 an old generation changes nothing',
        `${member} committed ${attempt.partition} in generation ${attempt.generation}, and generation ${newestBefore} was known`,
      )
  }

  rejected(attempt: CommitAttempt): void {
    attempt.outcome = 'rejected'
  }

  /** The newest acknowledged commit of each partition: a request that is sent from now on must return it or a newer one. */
  acknowledgedNow(): readonly (CommitAttempt | undefined)[] {
    return this.#attempts.map((attempts) =>
      attempts.reduce<CommitAttempt | undefined>(
        (newest, each) => (each.outcome === 'done' && (newest === undefined || newer(each, newest)) ? each : newest),
        undefined,
      ),
    )
  }

  /** `least` is the result of acknowledgedNow for the partition when the request was sent. */
  fetched(member: string, { partition, offset }: { partition: number; offset: number }, least: CommitAttempt | undefined): void {
    const lost = (why: string): void =>
      this.#checker.violate(
        'I33 an acknowledged commit is returned until a newer one',
        `${member} received ${offset} for ${partition}, where ${least?.offset} of generation ${least?.generation} was acknowledged: ${why}`,
      )
    if (offset === -1) {
      if (least !== undefined) lost('it has none')
      return
    }
    const attempt = this.#attempts[partition]?.find((each) => each.offset === offset)
    if (attempt === undefined) return lost('no member committed it')
    if (attempt.outcome === 'rejected') return lost('it was rejected')
    if (least === undefined) return
    if (attempt.generation < least.generation) return lost(`it is of generation ${attempt.generation}`)
    if (attempt.line === least.line && attempt.offset < least.offset) return lost('it was sent before that, over the same connection')
    // A commit whose response was lost may have been done after it; one that was done before it was sent is older.
    if (attempt.doneAt !== undefined && attempt.doneAt <= least.sentAt) lost('it is older')
  }

  #generation(generation: number): Generation {
    const known = this.#generations.get(generation)
    if (known !== undefined) return known
    const made: Generation = { owners: new Map(), holders: new Map() }
    this.#generations.set(generation, made)
    return made
  }

  /** A static member that comes back has a new id, but is the same member: the id begins with its instance id. */
  #identity(memberId: string): string {
    return this.#joins.find(({ groupInstanceId: id }) => id !== null && memberId.startsWith(`${id}-`))?.groupInstanceId ?? memberId
  }

  /** A member that certainly had the place before this one requested it no longer has it. */
  #placed(member: string, attempt: JoinAttempt, memberId: string): void {
    if (attempt.replaced)
      this.#checker.violate(
        'I35 requests of a replaced member are rejected',
        `${member} joined as ${attempt.memberId}, whose place another member had`,
      )
    attempt.answeredAt = this.#answers += 1
    if (attempt.memberId !== '' || attempt.groupInstanceId === null) return
    attempt.gave = memberId
    for (const { gave, answeredAt, groupInstanceId } of this.#joins)
      if (groupInstanceId === attempt.groupInstanceId && gave !== undefined && gave !== memberId && (answeredAt ?? 0) <= attempt.sentAt)
        this.#replaced.add(gave)
  }
}

function newer(one: CommitAttempt, other: CommitAttempt): boolean {
  return one.generation > other.generation || (one.generation === other.generation && one.offset > other.offset)
}
