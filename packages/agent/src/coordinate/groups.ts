// The groups that this agent coordinates: each is reloaded when it is first asked for, and dropped when it cannot be saved.
import { KafkaError, type KafkaErrorName } from '@local-kafka-service/protocol'
import type { ClassicGroupState, ClassicReply, ClassicRequest, ClassicSettings, CommitRequest } from '../core/group/classic-messages.ts'
import { type Incarnation, partitionKey, type TopicPartition } from '../core/ids.ts'
import { slotOfName } from '../core/slots.ts'
import { limits } from '../limits.ts'
import type { AgedTopic, CommittedOffset, GroupStore, OffsetToCommit } from '../metadata/metadata-store.ts'
import type { EventHook } from '../observe/events.ts'
import type { Clock, Random } from '../time/clock.ts'
import type { Turns } from '../time/turns.ts'
import type { Owners } from '../view/owners.ts'
import { type Beside, GroupRunner } from './group-runner.ts'
import { type DescribedGroup, retriable, StoredGroups, type UnloadedGroups, withoutMembers } from './stored-groups.ts'

export interface GroupsParts {
  readonly store: GroupStore
  readonly owners: Owners
  readonly incarnation: Incarnation
  readonly clock: Clock
  /** Of sessions and rebalances. */
  readonly sessionClock?: Clock
  readonly turns: Turns
  readonly random: Random
  readonly emit: EventHook
  readonly settings: ClassicSettings
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
  /** '' while nobody has joined yet. */
  readonly protocolType: string
  readonly state: ClassicGroupState
}

export class Groups {
  /** Bulk reads, after `check`. */
  readonly stored: StoredGroups
  readonly #parts: GroupsParts
  readonly #runners = new Map<string, Promise<GroupRunner>>()
  /** Loaded ones, the longest unused first. */
  readonly #loaded = new Map<string, GroupRunner>()
  readonly #connections = new Map<number, Set<string>>()
  /** The groups of which a transaction removes what has expired. */
  #expiring: { readonly groupIds: ReadonlySet<string>; readonly done: Promise<void> } | undefined
  #stopped = false

  constructor(parts: GroupsParts) {
    this.#parts = parts
    this.stored = new StoredGroups(parts)
  }

  /**
   * Answers when the step is saved. Rejects with a KafkaError: NOT_COORDINATOR (the slot is another agent's), COORDINATOR_NOT_AVAILABLE (the database is
   * away, or the agent stops), INVALID_GROUP_ID. `signal` is the connection's: once it aborts, the members that came by it have lost theirs.
   */
  async ask<R extends ClassicRequest>(groupId: string, request: R, signal?: AbortSignal): Promise<ReplyTo<R>> {
    return await this.#ask(groupId, request, signal)
  }

  /** The machine's check and the offsets, in one save. NONE: they are rows now. */
  async commit(groupId: string, request: CommitRequest, offsets: readonly OffsetToCommit[], signal?: AbortSignal): Promise<KafkaErrorName> {
    const { error } = await this.#ask<CommitRequest>(groupId, request, signal, (reply) => (reply.error === 'NONE' ? { offsets } : {}))
    return error
  }

  /** `commit` of very many offsets, in several saves. The check may fail for a later one, when the group has moved on: `saved` says how many offsets are rows by then. */
  async commitInSteps(
    groupId: string,
    request: CommitRequest,
    offsets: readonly OffsetToCommit[],
    signal?: AbortSignal,
  ): Promise<{ readonly error: KafkaErrorName; readonly saved: number }> {
    const slice = this.#parts.turns.slice()
    for (let saved = 0; ; saved += limits.offsetsPerSave) {
      const page = offsets.slice(saved, saved + limits.offsetsPerSave)
      const error = await this.commit(groupId, request, page, signal)
      if (error !== 'NONE') return { error, saved }
      if (saved + page.length === offsets.length) return { error, saved: offsets.length }
      if (slice.spent(page.length)) await slice.next()
    }
  }

  /** Committed offsets of living topics. A primary read. Rejects as `ask` does. */
  async offsets(groupId: string): Promise<readonly CommittedOffset[]> {
    this.check(groupId)
    return (await this.stored.offsets([groupId])).get(groupId) ?? []
  }

  /** As they are stored, of those that are not loaded: what `describe` and `delete` need to answer for many without loading each. */
  async unloaded(groupIds: readonly string[]): Promise<UnloadedGroups> {
    const asked = new Set(groupIds.filter((groupId) => !this.#runners.has(groupId) && this.#isMine(groupId) && isLegal(groupId)))
    return { asked, heads: await this.stored.heads([...asked]) }
  }

  /** Rejects as `ask` does. */
  async describe(groupId: string, { asked, heads }: UnloadedGroups): Promise<DescribedGroup> {
    this.check(groupId)
    const known = asked.has(groupId) ? withoutMembers(heads.get(groupId)) : undefined
    return known ?? (await this.ask(groupId, { kind: 'describe' }))
  }

  /** Removes offsets, but for those of topics that a member reads; those are named in the answer. */
  async deleteOffsets(
    groupId: string,
    partitions: readonly (TopicPartition & { readonly topic: string })[],
  ): Promise<{ readonly error: KafkaErrorName; readonly subscribed: ReadonlySet<string> | 'all' }> {
    const slice = this.#parts.turns.slice()
    for (let at = 0; ; at += limits.offsetsPerSave) {
      const page = partitions.slice(at, at + limits.offsetsPerSave)
      const answer = await this.#ask(groupId, { kind: 'offset delete' } as const, undefined, ({ error, subscribed }) => {
        if (error !== 'NONE' || subscribed === 'all') return {}
        const removed = page.filter(({ topic }) => !subscribed.has(topic))
        return { removedOffsets: [...new Map(removed.map((one) => [partitionKey(one.topicId, one.partition), one])).values()] }
      })
      if (answer.error !== 'NONE' || answer.subscribed === 'all' || at + page.length === partitions.length) return answer
      if (slice.spent(page.length)) await slice.next()
    }
  }

  /** With its journal and its offsets. */
  async delete(groupId: string, unloaded?: UnloadedGroups): Promise<KafkaErrorName> {
    this.check(groupId)
    if (unloaded?.asked.has(groupId) === true && !unloaded.heads.has(groupId)) return 'GROUP_ID_NOT_FOUND'
    const { error } = await this.#ask(groupId, { kind: 'delete' } as const)
    return error
  }

  /** The groups that this agent coordinates, by id. */
  async list(): Promise<readonly GroupListing[]> {
    if (this.#stopped) throw stopping()
    const stored = await retriable(this.#parts.store.list())
    const mine = new Map(stored.filter(({ groupId }) => this.#isMine(groupId)).map((head) => [head.groupId, head]))
    // What is loaded is newer than its row.
    for (const [groupId, { head }] of this.#loaded) {
      if (head === undefined) mine.delete(groupId)
      else mine.set(groupId, { groupId, ...head })
    }
    return [...mine.values()]
      .toSorted((a, b) => (a.groupId < b.groupId ? -1 : 1))
      .map(({ groupId, kind, protocolType, state }) => ({
        groupId,
        kind,
        protocolType: protocolType ?? '',
        state: state as ClassicGroupState,
      }))
  }

  /** Everybody leaves every group, as if each member had said so: for a copy of a cluster, to which none of them is connected. */
  async vacate(): Promise<void> {
    const stored = await retriable(this.#parts.store.list())
    for (const { groupId } of stored.filter(({ groupId: id, state }) => state !== 'Empty' && this.#isMine(id))) {
      const { members } = await this.ask(groupId, { kind: 'describe' })
      await this.ask(groupId, { kind: 'leave', members })
    }
  }

  /** Reloads the groups that have members, so that members that are gone are noticed; then removes what has expired, again and again. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, offsetsCheckMs } = this.#parts
    let reloaded = await this.#attempt('reloading groups', signal, () => this.#reload(signal))
    for await (const _ of clock.every(offsetsCheckMs, signal)) {
      if (!reloaded) reloaded = await this.#attempt('reloading groups', signal, () => this.#reload(signal))
      this.#unloadIdle(0)
      await this.#attempt('expiring offsets', signal, () => this.#expire(signal))
      await this.#attempt('expiring offsets that nobody reads', signal, () => this.#expireUnread(signal))
    }
  }

  /** Answers who waits with a retriable error, and settles when everything that was decided is saved. Members stay: they go on after a restart. */
  async stop(): Promise<void> {
    this.#stopped = true
    const loaded = [...this.#loaded.values()]
    await Promise.all(loaded.map((runner) => runner.saved()))
    for (const runner of loaded) runner.drop(stopping())
  }

  /** Ends at once, as a crash does: nothing more is saved, and whoever waits hears nothing good. */
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
    if (signal !== undefined && 'connection' in request && request.connection !== undefined)
      this.#watch(request.connection, signal, groupId)
    // The casts: the machine answers each request by its kind; its tests hold it to that.
    const reply = (await runner.ask(request, beside && ((answer) => beside(answer as ReplyTo<R>)))) as ReplyTo<R>
    // Nobody is helped by remembering that there is no such group.
    if (runner.head === undefined) void runner.saved().then(() => this.#forgetDead(runner))
    return reply
  }

  /** Throws a KafkaError when this agent does not coordinate the group, or no agent could. */
  check(groupId: string): void {
    if (!isLegal(groupId)) throw new KafkaError('INVALID_GROUP_ID')
    if (this.#stopped) throw stopping()
    if (!this.#isMine(groupId)) throw new KafkaError('NOT_COORDINATOR')
  }

  #isMine(groupId: string): boolean {
    return this.#parts.owners.ofName(groupId).mine
  }

  /** The one runner of the group, opened once whoever asks meanwhile. */
  async #runner(groupId: string): Promise<GroupRunner> {
    const known = this.#runners.get(groupId)
    if (known !== undefined) return await known
    const opening = this.#open(groupId)
    this.#runners.set(groupId, opening)
    try {
      const runner = await opening
      if (this.#stopped) runner.drop(stopping())
      else this.#loaded.set(groupId, runner)
      if (this.#loaded.size > limits.loadedGroups) this.#unloadIdle(limits.loadedGroups)
      return runner
    } catch (error) {
      if (this.#runners.get(groupId) === opening) this.#runners.delete(groupId)
      throw error
    }
  }

  async #open(groupId: string): Promise<GroupRunner> {
    // Its rows may be going at this moment; a runner that was opened before could not save.
    const expiring = this.#expiring
    if (expiring?.groupIds.has(groupId) === true) await expiring.done.catch(() => {})
    const { store, owners, incarnation, clock, sessionClock = clock, random, settings, emit } = this.#parts
    const opening: Promise<GroupRunner> = retriable(
      GroupRunner.open({
        groupId,
        store,
        owner: { incarnation, slot: slotOfName(groupId, owners.slots) },
        epoch: Buffer.from(random.bytes(12)).toString('base64url'),
        clock: sessionClock,
        settings,
        emit,
        onDropped: () => void opening.then((runner) => this.#forget(runner)),
      }),
    )
    return await opening
  }

  #forget(runner: GroupRunner): void {
    const { groupId } = runner
    if (this.#loaded.get(groupId) !== runner) return
    this.#loaded.delete(groupId)
    this.#runners.delete(groupId)
  }

  #forgetDead(runner: GroupRunner): void {
    if (runner.head === undefined && runner.idle) this.#forget(runner)
  }

  /** Forgets the group's runner, if there is one. False: it is in use. */
  #unload(groupId: string): boolean {
    const runner = this.#loaded.get(groupId)
    if (runner === undefined) return !this.#runners.has(groupId)
    if (!runner.idle) return false
    this.#forget(runner)
    runner.drop(new KafkaError('COORDINATOR_LOAD_IN_PROGRESS'))
    return true
  }

  /** Forgets the longest unused of those that nobody would miss, until so many are left. */
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
    await Promise.all(Array.from({ length: limits.groupsLoadedAtATime }, lane))
  }

  /** Of groups without members, offsets that are old; then groups that have none left. */
  async #expire(signal: AbortSignal): Promise<void> {
    const { store, offsetsRetentionMs: retentionMs } = this.#parts
    for (let after: string | undefined; ; ) {
      const page = await store.expirable({ retentionMs, after })
      after = page.at(-1)
      if (after === undefined || signal.aborted) return
      // What is in use stays: somebody is about to join it, or to commit.
      const groupIds = page.filter((groupId) => this.#isMine(groupId) && this.#unload(groupId))
      if (groupIds.length === 0) continue
      const done = store.expire({ retentionMs, groupIds })
      this.#expiring = { groupIds: new Set(groupIds), done }
      await done.finally(() => (this.#expiring = undefined))
    }
  }

  /** Of groups with members, offsets that are old and of topics that no member reads. */
  async #expireUnread(signal: AbortSignal): Promise<void> {
    const { store, offsetsRetentionMs: retentionMs } = this.#parts
    for (let after: AgedTopic | undefined; ; ) {
      const aged = await store.aged({ retentionMs, after })
      after = aged.at(-1)
      if (after === undefined) return
      for (const [groupId, topics] of Map.groupBy(aged, (one) => one.groupId)) {
        if (signal.aborted) return
        if (!this.#isMine(groupId)) continue
        // Each by itself: a group that can't be loaded keeps no other one's offsets.
        await this.#attempt(`expiring offsets of group ${groupId}`, signal, async () => {
          await this.#ask(groupId, { kind: 'offset expiry' } as const, undefined, ({ subscribed }) => ({
            expiredOffsets:
              subscribed === 'all'
                ? []
                : topics.filter(({ topic }) => !subscribed.has(topic)).map(({ topicId }) => ({ topicId, retentionMs })),
          }))
        })
      }
    }
  }

  /** Answers whether it went well; what is said when it did not. */
  async #attempt(what: string, signal: AbortSignal, work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      const message = `${what} failed and will be tried again: ${error instanceof Error ? error.message : String(error)}`
      if (!signal.aborted) this.#parts.emit({ kind: 'notice', message })
      return false
    }
  }

  /** Once per connection and group. */
  #watch(connection: number, signal: AbortSignal, groupId: string): void {
    const known = this.#connections.get(connection)
    if (known !== undefined) {
      known.add(groupId)
      return
    }
    const groupIds = new Set([groupId])
    this.#connections.set(connection, groupIds)
    const ended = (): void => {
      this.#connections.delete(connection)
      // The agent's own end is nobody's leaving.
      if (this.#stopped) return
      for (const id of groupIds) {
        const runner = this.#loaded.get(id)
        // Refused only when the group is dropped, and then its next owner starts all sessions anew.
        runner?.ask({ kind: 'disconnect', connection }).catch(() => {})
      }
    }
    if (signal.aborted) ended()
    else signal.addEventListener('abort', ended, { once: true })
  }
}

/** Kafka takes any but the empty one; PostgreSQL's text holds every character but U+0000. */
function isLegal(groupId: string): boolean {
  return groupId !== '' && !groupId.includes('\0')
}

function stopping(): KafkaError {
  return new KafkaError('COORDINATOR_NOT_AVAILABLE', 'The agent is stopping.')
}
