// The groups that this agent coordinates: the first request reloads a group, and a failed save drops it.
// It is longer than other files because it is one thing: whatever loads or drops a runner is here.
import { KafkaError, type KafkaErrorName } from '@local-kafka-service/protocol'
import type { ClassicGroupState, ClassicReply, ClassicRequest, ClassicSettings, CommitRequest } from '../core/group/classic-messages.ts'
import { type Incarnation, partitionKey, type TopicPartition } from '../core/ids.ts'
import { slotOfName } from '../core/slots.ts'
import { fixedLimits } from '../limits.ts'
import type { CommittedOffset, GroupStore, OffsetToCommit, PendingOffset } from '../metadata/metadata-store.ts'
import { errorText } from '../native-error.ts'
import type { EventHook } from '../observe/events.ts'
import { orAborted } from '../time/abort.ts'
import type { Clock, Random } from '../time/clock.ts'
import { every } from '../time/every.ts'
import { sleep } from '../time/sleep.ts'
import { type Turns, unitsOfName } from '../time/turns.ts'
import type { Owners } from '../view/owners.ts'
import { GroupConnections } from './group-connections.ts'
import { GroupExpiry } from './group-expiry.ts'
import { type Beside, GroupRunner } from './group-runner.ts'
import { GroupSaves } from './group-saves.ts'
import type { MemberMemory } from './member-memory.ts'
import { type DescribedGroup, retriable, StoredGroups, type UnloadedGroups, withoutMembers } from './stored-groups.ts'

export interface GroupsParts {
  readonly store: GroupStore
  readonly owners: Owners
  readonly incarnation: Incarnation
  readonly clock: Clock
  /** The clock of sessions and rebalances. */
  readonly sessionClock?: Clock
  readonly turns: Turns
  readonly random: Random
  readonly emit: EventHook
  readonly settings: ClassicSettings
  readonly memberMemory: MemberMemory
  /** offsets.retention.minutes and offsets.retention.check.interval.ms, in milliseconds. */
  readonly offsetsRetentionMs: number
  readonly offsetsCheckMs: number
}

/** The answer to a request, by the request's kind. */
export type ReplyTo<R extends ClassicRequest> = Extract<
  ClassicReply,
  {
    readonly kind: R extends { readonly kind: 'describe' }
      ? 'described'
      : R extends { readonly kind: 'disconnect' }
        ? 'disconnected'
        : R['kind']
  }
>

export interface GroupListing {
  readonly groupId: string
  readonly kind: string
  /** '' if no member has joined yet. */
  readonly protocolType: string
  readonly state: ClassicGroupState
}

export class Groups {
  /** Bulk reads. Call `check` first. */
  readonly stored: StoredGroups
  readonly #parts: GroupsParts
  readonly #saves: GroupSaves
  readonly #expiry: GroupExpiry
  readonly #runners = new Map<string, Promise<GroupRunner>>()
  /** The loaded groups, in the order in which they were loaded. */
  readonly #loaded = new Map<string, GroupRunner>()
  /** When the agent itself stops, no member has left. A request rejects only when the group is dropped; a reload then starts all sessions again. */
  readonly #connections = new GroupConnections((groupId, connection) => {
    const runner = this.#stopped ? undefined : this.#loaded.get(groupId)
    runner?.ask({ kind: 'disconnect', connection }).catch(() => {})
  })
  /** Resolved, and replaced, when slots have moved. */
  #moved = Promise.withResolvers<void>()
  #stopped = false

  constructor(parts: GroupsParts) {
    this.#parts = parts
    this.#saves = new GroupSaves(parts.turns)
    this.#expiry = new GroupExpiry({
      ...parts,
      isMine: (groupId) => this.#isMine(groupId),
      unload: (groupId) => this.#unload(groupId),
      removeUnread: async (groupId, expired) => {
        const removed = ({ subscribed }: ReplyTo<OffsetExpiry>): Beside => ({ expiredOffsets: expired(subscribed) })
        await this.#ask<OffsetExpiry>(groupId, { kind: 'offset expiry' }, undefined, removed)
      },
      attempt: (what, signal, work) => this.#attempt(what, signal, work),
    })
    this.stored = new StoredGroups(parts)
  }

  /**
   * Answers when the step is saved. Rejects with a KafkaError: NOT_COORDINATOR (another agent owns the slot), COORDINATOR_NOT_AVAILABLE (the database is
   * unavailable, the members of groups hold all memory for them, or the agent stops), INVALID_GROUP_ID. `signal` is the connection's: when it aborts, the members of that connection are disconnected, and its commits that still wait are rejected.
   */
  ask<R extends ClassicRequest>(groupId: string, request: R, signal?: AbortSignal): Promise<ReplyTo<R>> {
    return this.#ask(groupId, request, signal)
  }

  /** Checks the commit and saves the offsets, in one save. NONE: the offsets are stored. */
  async commit(groupId: string, request: CommitRequest, offsets: readonly OffsetToCommit[], signal?: AbortSignal): Promise<KafkaErrorName> {
    const { error } = await this.#ask<CommitRequest>(groupId, request, signal, (reply) => (reply.error === 'NONE' ? { offsets } : {}))
    return error
  }

  /** Commits very many offsets in several saves. A later check may fail because the group has changed: `saved` is the number of offsets that are stored by then. */
  async commitInSteps(
    groupId: string,
    request: CommitRequest,
    offsets: readonly OffsetToCommit[],
    signal?: AbortSignal,
  ): Promise<{ readonly error: KafkaErrorName; readonly saved: number }> {
    return await this.#inSteps(offsets, (page) => this.commit(groupId, request, page, signal))
  }

  /** As `commitInSteps`, of offsets that become the group's when their transaction is committed. */
  async commitPendingInSteps(
    groupId: string,
    request: CommitRequest,
    offsets: readonly PendingOffset[],
    signal?: AbortSignal,
  ): Promise<{ readonly error: KafkaErrorName; readonly saved: number }> {
    return await this.#inSteps(offsets, async (pendingOffsets) => {
      const { error } = await this.#ask(groupId, request, signal, (reply) => (reply.error === 'NONE' ? { pendingOffsets } : {}))
      return error
    })
  }

  async #inSteps<Offset>(
    offsets: readonly Offset[],
    commit: (page: readonly Offset[]) => Promise<KafkaErrorName>,
  ): Promise<{ readonly error: KafkaErrorName; readonly saved: number }> {
    const slice = this.#parts.turns.slice()
    for (let saved = 0; ; saved += fixedLimits.offsetsPerSave) {
      const page = offsets.slice(saved, saved + fixedLimits.offsetsPerSave)
      const error = await commit(page)
      if (error !== 'NONE') return { error, saved }
      if (saved + page.length === offsets.length) return { error, saved: offsets.length }
      if (slice.spent(page.length)) await slice.next()
    }
  }

  /** The committed offsets of topics that are not deleted. A primary read. Rejects as `ask` does. */
  async offsets(groupId: string): Promise<readonly CommittedOffset[]> {
    this.check(groupId)
    return (await this.stored.offsets([groupId])).get(groupId) ?? []
  }

  /** The head rows of the groups that are not loaded, so that `describe` and `delete` of many groups need not load each. */
  async unloaded(groupIds: readonly string[]): Promise<UnloadedGroups> {
    const asked = new Set<string>()
    const slice = this.#parts.turns.slice()
    for (const groupId of groupIds) {
      if (!this.#runners.has(groupId) && this.#isMine(groupId) && isLegalGroupId(groupId)) asked.add(groupId)
      if (slice.spent(unitsOfName(groupId))) await slice.next()
    }
    return { asked, heads: await this.stored.heads([...asked]) }
  }

  /** Rejects as `ask` does. */
  async describe(groupId: string, { asked, heads }: UnloadedGroups): Promise<DescribedGroup> {
    this.check(groupId)
    const known = asked.has(groupId) ? withoutMembers(heads.get(groupId)) : undefined
    return known ?? (await this.ask(groupId, { kind: 'describe' }))
  }

  /** Removes offsets, except those of topics that a member reads; the answer names these topics. */
  async deleteOffsets(
    groupId: string,
    partitions: readonly (TopicPartition & { readonly topic: string })[],
  ): Promise<{ readonly error: KafkaErrorName; readonly subscribed: ReadonlySet<string> | 'all' }> {
    const slice = this.#parts.turns.slice()
    for (let at = 0; ; at += fixedLimits.offsetsPerSave) {
      const page = partitions.slice(at, at + fixedLimits.offsetsPerSave)
      const answer = await this.#ask(groupId, { kind: 'offset delete' } as const, undefined, ({ error, subscribed }) => {
        if (error !== 'NONE' || subscribed === 'all') return {}
        const removed = page.filter(({ topic }) => !subscribed.has(topic))
        return { removedOffsets: [...new Map(removed.map((one) => [partitionKey(one.topicId, one.partition), one])).values()] }
      })
      if (answer.error !== 'NONE' || answer.subscribed === 'all' || at + page.length === partitions.length) return answer
      if (slice.spent(page.length)) await slice.next()
    }
  }

  /** Deletes a group with its journal and its offsets. */
  async delete(groupId: string, unloaded?: UnloadedGroups): Promise<KafkaErrorName> {
    this.check(groupId)
    if (unloaded?.asked.has(groupId) === true && !unloaded.heads.has(groupId)) return 'GROUP_ID_NOT_FOUND'
    const { error } = await this.#ask(groupId, { kind: 'delete' } as const)
    return error
  }

  /** The groups that this agent coordinates, by id. */
  async list(): Promise<readonly GroupListing[]> {
    return (await this.listAll()).filter(({ groupId }) => this.#isMine(groupId))
  }

  /** The groups of the whole cluster, by id. Those of other agents are as of their last saves. */
  async listAll(): Promise<readonly GroupListing[]> {
    if (this.#stopped) throw stopping()
    const stored = await retriable(this.#parts.store.list())
    const all = new Map(stored.map((head) => [head.groupId, head]))
    // A loaded group is newer than its row.
    for (const [groupId, { head }] of this.#loaded) {
      if (!this.#isMine(groupId)) continue
      if (head === undefined) all.delete(groupId)
      else all.set(groupId, { groupId, ...head })
    }
    return [...all.values()]
      .toSorted((a, b) => (a.groupId < b.groupId ? -1 : 1))
      .map(({ groupId, kind, protocolType, state }) => ({
        groupId,
        kind,
        protocolType: protocolType ?? '',
        state: state as ClassicGroupState,
      }))
  }

  /** Makes all members leave their groups, as if each had sent LeaveGroup: for a copy of a cluster, which has no connected members. */
  async vacate(): Promise<void> {
    const stored = await retriable(this.#parts.store.list())
    for (const { groupId } of stored.filter(({ groupId: id, state }) => state !== 'Empty' && this.#isMine(id))) {
      const { members } = await this.ask(groupId, { kind: 'describe' })
      await this.ask(groupId, { kind: 'leave', members })
    }
  }

  /** Call it when slots have moved: the groups of other agents are dropped, and those of this one that have members are reloaded. */
  slotsMoved(): void {
    for (const [groupId, runner] of this.#loaded) if (!this.#isMine(groupId)) runner.drop(new KafkaError('NOT_COORDINATOR'))
    const moved = this.#moved
    this.#moved = Promise.withResolvers()
    moved.resolve()
  }

  /** Ends the groups in the slots, each after its saves: another agent is about to coordinate them. Their requests get NOT_COORDINATOR. */
  async release(slots: ReadonlySet<number>): Promise<void> {
    const ending = [...this.#loaded.values()].filter(({ groupId }) => slots.has(slotOfName(groupId, this.#parts.owners.slots)))
    await Promise.all(ending.map((runner) => runner.saved()))
    for (const runner of ending) runner.drop(new KafkaError('NOT_COORDINATOR'))
  }

  /** Reloads the groups that have members, so that their sessions run; then removes expired offsets and groups periodically. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#reloadWhenMoved(signal), this.#expireNowAndThen(signal)])
  }

  async #reloadWhenMoved(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts
    while (!signal.aborted) {
      const moved = this.#moved.promise
      const reloaded = await this.#attempt('reloading groups', signal, () => this.#reload(signal))
      await orAborted(reloaded ? moved : sleep(clock, fixedLimits.commitRetryMaxMs, signal), signal, () => {})
    }
  }

  async #expireNowAndThen(signal: AbortSignal): Promise<void> {
    const { clock, offsetsCheckMs } = this.#parts
    for await (const _ of every(clock, offsetsCheckMs, signal)) {
      this.#unloadIdle(0)
      await this.#expiry.run(signal)
    }
  }

  /** Settles when all finished steps are saved, and rejects waiting requests with a retriable error. Members stay in their groups, so they continue after a restart. */
  async stop(): Promise<void> {
    this.#stopped = true
    const loaded = [...this.#loaded.values()]
    await Promise.all(loaded.map((runner) => runner.saved()))
    for (const runner of loaded) runner.drop(stopping())
  }

  /** Stops at once, as a crash does: starts no further save, and rejects waiting requests. */
  abandon(): void {
    this.#stopped = true
    for (const runner of this.#loaded.values()) runner.drop(stopping())
  }

  async #ask<R extends ClassicRequest>(
    groupId: string,
    request: R,
    signal?: AbortSignal,
    beside?: (reply: ReplyTo<R>) => Beside,
  ): Promise<ReplyTo<R>> {
    this.check(groupId)
    const runner = await this.#runner(groupId)
    // The client may have repeated this commit on another connection, and gone on to newer ones, or to its next transaction, while this one waited.
    if (signal?.aborted === true && request.kind === 'commit') throw new KafkaError('COORDINATOR_NOT_AVAILABLE')
    if (signal !== undefined && 'connection' in request && request.connection !== undefined)
      this.#connections.watch(request.connection, signal, groupId)
    // The casts: the machine answers each request with the reply of its kind, as its tests check.
    const reply = (await runner.ask(request, beside && ((answer) => beside(answer as ReplyTo<R>)))) as ReplyTo<R>
    // A group that does not exist needs no runner.
    if (runner.head === undefined) void runner.saved().then(() => this.#forgetDead(runner))
    return reply
  }

  /** Throws a KafkaError if the group id is invalid, the agent is stopping, or this agent does not coordinate the group. */
  check(groupId: string): void {
    if (!isLegalGroupId(groupId)) throw new KafkaError('INVALID_GROUP_ID')
    if (this.#stopped) throw stopping()
    if (!this.#isMine(groupId)) throw new KafkaError('NOT_COORDINATOR')
  }

  #isMine(groupId: string): boolean {
    return this.#parts.owners.ofName(groupId).mine
  }

  /** The only runner of the group. Concurrent requests share one opening. */
  async #runner(groupId: string): Promise<GroupRunner> {
    const known = this.#runners.get(groupId)
    if (known !== undefined) return await known
    const opening = this.#open(groupId)
    this.#runners.set(groupId, opening)
    try {
      const runner = await opening
      if (this.#stopped) runner.drop(stopping())
      else if (!this.#isMine(groupId)) runner.drop(new KafkaError('NOT_COORDINATOR'))
      else this.#loaded.set(groupId, runner)
      if (this.#loaded.size > fixedLimits.loadedGroups) this.#unloadIdle(fixedLimits.loadedGroups)
      return runner
    } catch (error) {
      if (this.#runners.get(groupId) === opening) this.#runners.delete(groupId)
      throw error
    }
  }

  async #open(groupId: string): Promise<GroupRunner> {
    await this.#expiry.settled(groupId)
    const { store, owners, incarnation, clock, sessionClock = clock, random, settings, emit } = this.#parts
    const opening: Promise<GroupRunner> = retriable(
      GroupRunner.open({
        groupId,
        store,
        owner: { incarnation, slot: slotOfName(groupId, owners.slots) },
        epoch: Buffer.from(random.bytes(12)).toString('base64url'),
        clock: sessionClock,
        settings,
        memory: this.#parts.memberMemory.open(groupId, emit),
        saves: this.#saves,
        emit,
        onDropped: () => void opening.then((runner) => this.#forget(runner)),
      }),
    )
    return await opening
  }

  #forget(runner: GroupRunner): void {
    const { groupId } = runner
    runner.releaseMemory()
    if (this.#loaded.get(groupId) !== runner) return
    this.#loaded.delete(groupId)
    this.#runners.delete(groupId)
  }

  #forgetDead(runner: GroupRunner): void {
    if (runner.head === undefined && runner.idle) this.#forget(runner)
  }

  /** Drops the group's runner, if it has one. False: the runner is in use. */
  #unload(groupId: string): boolean {
    const runner = this.#loaded.get(groupId)
    if (runner === undefined) return !this.#runners.has(groupId)
    if (!runner.idle) return false
    this.#forget(runner)
    runner.drop(new KafkaError('COORDINATOR_LOAD_IN_PROGRESS'))
    return true
  }

  /** Unloads idle groups, the first loaded ones first, until at most `keep` are left. */
  #unloadIdle(keep: number): void {
    for (const groupId of this.#loaded.keys()) {
      if (this.#loaded.size <= keep) return
      this.#unload(groupId)
    }
  }

  async #reload(signal: AbortSignal): Promise<void> {
    const withMembers = (await this.#parts.store.list()).filter(({ groupId, state }) => state !== 'Empty' && this.#isMine(groupId))
    const next = withMembers.values()
    const lane = async (): Promise<void> => {
      for (const { groupId } of next) {
        if (signal.aborted) return
        await this.#runner(groupId)
      }
    }
    await Promise.all(Array.from({ length: fixedLimits.groupsLoadedAtATime }, lane))
  }

  /** Returns whether the work succeeded. Emits a notice if it did not. */
  async #attempt(what: string, signal: AbortSignal, work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      const message = `${what} failed and will be retried: ${errorText(error)}`
      if (!signal.aborted) this.#parts.emit({ kind: 'notice', message })
      return false
    }
  }
}

type OffsetExpiry = Extract<ClassicRequest, { readonly kind: 'offset expiry' }>

/** Kafka accepts any id but the empty one; PostgreSQL's text can hold every character but U+0000. */
export function isLegalGroupId(groupId: string): boolean {
  return groupId !== '' && !groupId.includes('\0')
}

function stopping(): KafkaError {
  return new KafkaError('COORDINATOR_NOT_AVAILABLE', 'The agent is stopping.')
}
