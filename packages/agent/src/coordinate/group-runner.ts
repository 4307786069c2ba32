// Runs one group's machine: one turn at a time, each saved before its answers are sent. Requests that arrive during a save go into the next one.
import { KafkaError } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import { ClassicGroup } from '../core/group/classic-group.ts'
import type { ClassicReply, ClassicRequest, ClassicSettings } from '../core/group/classic-messages.ts'
import { type ClassicChange, type SavedChange, saved } from '../core/group/classic-state.ts'
import type { RequestId, Step } from '../core/group/machine.ts'
import { partitionKey, type TopicPartition } from '../core/ids.ts'
import {
  type GroupHead,
  type GroupOwner,
  type GroupStore,
  MetadataError,
  type OffsetToCommit,
  type SavedGroup,
  type SaveGroup,
} from '../metadata/metadata-store.ts'
import type { EventHook } from '../observe/events.ts'
import type { Clock, Timer } from '../time/clock.ts'
import type { GroupSaves } from './group-saves.ts'
import { changeOf } from './journal.ts'
import { type GroupMemory, memberBytes, type RowsToHold, rowBytes } from './member-memory.ts'

export interface RunnerParts {
  readonly groupId: string
  readonly store: Pick<GroupStore, 'open' | 'save'>
  readonly owner: GroupOwner
  /** Random, for this runner only. */
  readonly epoch: string
  readonly clock: Clock
  readonly settings: ClassicSettings
  readonly memory: GroupMemory
  readonly saves: GroupSaves
  readonly emit: EventHook
  /** Called once, when this runner has ended: a save failed, or another coordinator took over. The next request opens a new runner. */
  readonly onDropped: () => void
}

/** The offset changes of a request, decided by its answer in the same turn and saved with it. */
export interface Beside {
  readonly offsets?: readonly OffsetToCommit[]
  readonly removedOffsets?: readonly TopicPartition[]
  readonly expiredOffsets?: SaveGroup['expiredOffsets']
  readonly pendingOffsets?: SaveGroup['pendingOffsets']
}

interface Asker {
  readonly resolve: (reply: ClassicReply) => void
  readonly reject: (error: Error) => void
  readonly beside: ((reply: ClassicReply) => Beside) | undefined
}

/** The changes of one save, and the answers that wait for it. */
interface Batch {
  /** The group after the save. Null: the group is deleted with everything it has, so no later turn may join this batch. */
  head: Omit<GroupHead, 'groupId'> | null
  deletes: boolean
  readonly changes: Map<string, SavedChange>
  /** Whether a description of the group changes. A heartbeat, for example, changes nothing that is visible. */
  visible: boolean
  /** By partition, in one of the two maps: the last request for a partition wins. */
  readonly offsets: Map<string, OffsetToCommit>
  readonly removedOffsets: Map<string, TopicPartition>
  readonly expiredOffsets: SaveGroup['expiredOffsets'][number][]
  readonly pendingOffsets: SaveGroup['pendingOffsets'][number][]
  readonly answers: (() => void)[]
}

export class GroupRunner {
  readonly #parts: RunnerParts
  readonly #machine: ClassicGroup
  readonly #askers = new Map<RequestId, Asker>()
  #version = 0
  #head: Omit<GroupHead, 'groupId'> | null = null
  /** Whether the database has a row of the group, as far as this runner knows. */
  #stored = false
  #nextRequest = 0
  /** In order; the last one takes the changes of the next turn. */
  readonly #batches: Batch[] = []
  #saving = false
  #savedAll: Promise<void> = Promise.resolve()
  #timer: Timer | undefined
  #dropped: KafkaError | undefined

  private constructor(parts: RunnerParts) {
    this.#parts = parts
    this.#machine = new ClassicGroup(parts.settings)
  }

  /** Takes over the group and reloads it. Rejects with a KafkaError NOT_COORDINATOR, or as the database does. */
  static async open(parts: RunnerParts): Promise<GroupRunner> {
    const { store, groupId, epoch, owner } = parts
    const opened = await store.open({ groupId, epoch, owner })
    if (opened.kind === 'not owner') throw new KafkaError('NOT_COORDINATOR')
    const runner = new GroupRunner(parts)
    runner.#version = opened.version
    runner.#stored = opened.exists
    for (const entry of opened.entries) runner.#apply(changeOf(entry))
    runner.#schedule()
    return runner
  }

  /** The group as of the last turn; undefined if it does not exist. */
  get head(): Omit<GroupHead, 'groupId'> | undefined {
    return this.#head ?? undefined
  }

  /** No request waits, no save runs, and the group has no members or pending ids: no client can notice a reload. */
  get idle(): boolean {
    const empty = this.#head === null || this.#head.state === 'Empty'
    return empty && this.#askers.size === 0 && !this.#saving && this.#machine.nextWake() === null
  }

  get groupId(): string {
    return this.#parts.groupId
  }

  /** Settles when the answer's step is saved. `beside` is called in the turn of the answer. Rejects with a KafkaError when the group is dropped first, or has no memory for it. */
  ask(request: ClassicRequest, beside?: (reply: ClassicReply) => Beside): Promise<ClassicReply> {
    const rows = rowsOf(request)
    const error = this.#dropped ?? (rows && this.#parts.memory.shortage(rows))
    if (error !== undefined) return Promise.reject(error)
    return new Promise((resolve, reject) => {
      this.#nextRequest += 1
      const id: RequestId = this.#nextRequest
      this.#askers.set(id, { resolve, reject, beside })
      this.#take(this.#machine.handle(request, id, this.#parts.clock.monotonic()))
    })
  }

  /** Settles when all answers are saved and sent. */
  async saved(): Promise<void> {
    while (this.#saving) await this.#savedAll
  }

  /** Ends the runner: it rejects all waiting and later requests with the error. */
  drop(error: KafkaError): void {
    if (this.#dropped !== undefined) return
    this.#dropped = error
    this.#timer?.cancel()
    for (const { reject } of this.#askers.values()) reject(error)
    this.#askers.clear()
    this.#parts.onDropped()
  }

  /** After its end, or when it is forgotten. */
  releaseMemory(): void {
    this.#parts.memory.release()
  }

  #take({ changes, replies }: Step<ClassicReply, ClassicChange>): void {
    const batch = this.#openBatch()
    for (const change of changes) {
      this.#apply(change)
      if (saved(change)) batch.changes.set(change.key, change)
      if (saved(change) || change.kind === 'phase') batch.visible = true
      if (change.kind === 'group' && change.value === null) batch.deletes = true
    }
    batch.head = this.#head
    for (const { to, reply } of replies) {
      const asker = must(this.#askers.get(to), `request ${to}, which the group answered`)
      if (asker.beside !== undefined) addBeside(batch, asker.beside(reply))
      batch.answers.push(() => {
        // If the group was dropped first, the request was already rejected.
        if (this.#askers.delete(to)) asker.resolve(reply)
      })
    }
    this.#schedule()
    if (this.#saving) return
    this.#saving = true
    this.#savedAll = this.#saveAll()
  }

  #openBatch(): Batch {
    const last = this.#batches.at(-1)
    if (last !== undefined && !last.deletes) return last
    const batch: Batch = {
      head: this.#head,
      deletes: false,
      changes: new Map(),
      visible: false,
      offsets: new Map(),
      removedOffsets: new Map(),
      expiredOffsets: [],
      pendingOffsets: [],
      answers: [],
    }
    this.#batches.push(batch)
    return batch
  }

  #apply(change: ClassicChange): void {
    this.#machine.apply(change)
    if (change.kind === 'member' || change.kind === 'assignment') this.#parts.memory.put(change.key, rowBytes(change))
    if (change.kind !== 'group') return
    this.#head = change.value === null ? null : { kind: 'classic', protocolType: change.value.protocolType, state: change.value.state }
  }

  /** Runs one save after another until no batch is left. A failed save drops the group: its unsent answers are discarded, and the next request reloads it. */
  async #saveAll(): Promise<void> {
    try {
      for (let batch = this.#batches.shift(); batch !== undefined && this.#dropped === undefined; batch = this.#batches.shift()) {
        if (!(await this.#save(batch))) return
        for (const answer of batch.answers) answer()
        this.#report(batch)
      }
    } finally {
      // In the turn in which no batch was left, so that the next turn starts a new round.
      this.#saving = false
    }
  }

  /** Emits after the save, so that a listener that queries the group finds the change. */
  #report({ visible, head, offsets, removedOffsets, expiredOffsets }: Batch): void {
    const { emit, groupId } = this.#parts
    if (visible) emit({ kind: 'group changed', groupId, state: head?.state ?? 'Dead' })
    const partitions = offsets.size + removedOffsets.size + expiredOffsets.length
    if (partitions > 0) emit({ kind: 'offsets committed', groupId, partitions })
  }

  async #save(batch: Batch): Promise<boolean> {
    const { head } = batch
    // A group that was never stored needs no deletion.
    if (savesNothing(batch) || (head === null && !this.#stored)) return true
    const { groupId, saves, emit } = this.#parts
    try {
      const { kind } = await saves.run([...batch.changes.values()], (entries) => this.#store(batch, entries))
      if (kind === 'dropped') return false
      if (kind === 'saved') {
        this.#stored = head !== null
        this.#version = head === null ? 0 : this.#version + 1
        return true
      }
      this.drop(new KafkaError('NOT_COORDINATOR', kind === 'stale' ? 'The group was changed by another coordinator.' : undefined))
    } catch (error) {
      if (!(error instanceof MetadataError)) throw error
      emit({ kind: 'notice', message: `group '${groupId}' will be reloaded, because its last step could not be saved: ${error.message}` })
      this.drop(new KafkaError('COORDINATOR_NOT_AVAILABLE', error.message))
    }
    return false
  }

  async #store(
    { head, offsets, removedOffsets, expiredOffsets, pendingOffsets }: Batch,
    entries: SaveGroup['entries'],
  ): Promise<SavedGroup | { readonly kind: 'dropped' }> {
    // A large save waits for others, and nothing may be written after the group was dropped.
    if (this.#dropped !== undefined) return { kind: 'dropped' }
    const { store, groupId, epoch, owner } = this.#parts
    return await store.save({
      groupId,
      epoch,
      version: this.#version,
      owner,
      head,
      entries,
      offsets: [...offsets.values()],
      removedOffsets: [...removedOffsets.values()],
      expiredOffsets,
      pendingOffsets,
    })
  }

  #schedule(): void {
    this.#timer?.cancel()
    const at = this.#machine.nextWake()
    if (at === null || this.#dropped !== undefined) return
    const { clock } = this.#parts
    this.#timer = clock.after(Math.max(0, at - clock.monotonic()), () => this.#wake())
  }

  /** A timer has no caller that could receive a defect: it is reported, and the group is dropped. The next request reloads it. */
  #wake(): void {
    const { clock, emit, groupId } = this.#parts
    try {
      this.#take(this.#machine.wake(clock.monotonic()))
    } catch (error) {
      emit({ kind: 'defect', where: `group '${groupId}'`, error })
      this.drop(new KafkaError('COORDINATOR_NOT_AVAILABLE'))
    }
  }
}

/** What the request adds to the memory of the group. */
function rowsOf(request: ClassicRequest): RowsToHold | undefined {
  if (request.kind === 'join') return { kind: 'member', rows: [{ key: `member/${request.memberId}`, bytes: memberBytes(request) }] }
  if (request.kind !== 'sync') return undefined
  const rows = request.assignments.map(({ memberId, assignment }) => ({ key: `assignment/${memberId}`, bytes: assignment.length }))
  return { kind: 'assignment', rows }
}

function addBeside(batch: Batch, { offsets = [], removedOffsets = [], expiredOffsets = [], pendingOffsets = [] }: Beside): void {
  for (const one of offsets) {
    const key = partitionKey(one.topicId, one.partition)
    batch.removedOffsets.delete(key)
    batch.offsets.set(key, one)
    for (const [at, pending] of batch.pendingOffsets.entries())
      if (partitionKey(pending.topicId, pending.partition) === key) batch.pendingOffsets[at] = { ...pending, isOverwritten: true }
  }
  for (const one of removedOffsets) {
    const key = partitionKey(one.topicId, one.partition)
    batch.offsets.delete(key)
    batch.removedOffsets.set(key, one)
    // An offset that this batch holds already is pending before it is deleted.
    for (const [at, pending] of [...batch.pendingOffsets.entries()].reverse())
      if (partitionKey(pending.topicId, pending.partition) === key) batch.pendingOffsets.splice(at, 1)
  }
  batch.expiredOffsets.push(...expiredOffsets)
  batch.pendingOffsets.push(...pendingOffsets)
}

function savesNothing({ changes, offsets, removedOffsets, expiredOffsets, pendingOffsets }: Batch): boolean {
  if (pendingOffsets.length > 0) return false
  return changes.size === 0 && offsets.size === 0 && removedOffsets.size === 0 && expiredOffsets.length === 0
}
