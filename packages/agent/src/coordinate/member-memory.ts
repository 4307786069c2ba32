// The memory of the members of all groups: what they sent when they joined, and what their leaders assigned to them.
import { KafkaError } from '@local-kafka-service/protocol'
import type { MemberRow, SavedChange } from '../core/group/classic-state.ts'
import { ByteBudget, type ByteGauge } from '../observe/byte-budget.ts'
import type { EventHook } from '../observe/events.ts'

/**
 * A group grows to at most this part of the memory that is still free. So a few groups with large members leave less to each next one, but never nothing.
 * (As read/answer-memory.ts.) By assignments it grows further, so that members that were let in get theirs.
 */
const shareOfFree = { member: 1 / 4, assignment: 1 / 2 } as const

/** The rows of one kind that a request would write. */
export interface RowsToHold {
  readonly kind: keyof typeof shareOfFree
  readonly rows: readonly { readonly key: string; readonly bytes: number }[]
}

export class MemberMemory {
  readonly #budget: ByteBudget

  constructor(limitBytes: number) {
    this.#budget = new ByteBudget(limitBytes)
  }

  get gauge(): ByteGauge {
    return this.#budget.gauge
  }

  /** The account of one group. */
  open(groupId: string, emit: EventHook): GroupMemory {
    return new GroupMemory(this.#budget, () => emit({ kind: 'notice', message: `group '${groupId}' may not grow: ${noMemory}` }))
  }
}

const noMemory = 'The members of groups hold all memory for them (memory.bytes).'

export class GroupMemory {
  readonly #budget: ByteBudget
  readonly #sizes = new Map<string, number>()
  readonly #onShort: () => void
  #heldBytes = 0
  #isShort = false

  constructor(budget: ByteBudget, onShort: () => void) {
    this.#budget = budget
    this.#onShort = onShort
  }

  /** The error of a request for whose rows there is no memory. It is reported once, until there is again. */
  shortage(asked: RowsToHold): KafkaError | undefined {
    const wasShort = this.#isShort
    this.#isShort = !this.fits(asked)
    if (!this.#isShort) return undefined
    if (!wasShort) this.#onShort()
    return new KafkaError('COORDINATOR_NOT_AVAILABLE', noMemory)
  }

  /** Whether the group may hold these rows in the place of the ones with the same keys. It may always become smaller. */
  fits({ kind, rows }: RowsToHold): boolean {
    const growth = rows.reduce((sum, { key, bytes }) => sum + bytes - (this.#sizes.get(key) ?? 0), 0)
    return growth <= 0 || this.#heldBytes + growth <= this.#budget.freeBytes * shareOfFree[kind]
  }

  /** Counts a row, in the place of the one with the same key; 0: there is none any more. It does not ask whether it fits: a stored group must be loaded. */
  put(key: string, bytes: number): void {
    const before = this.#sizes.get(key) ?? 0
    if (bytes === 0) this.#sizes.delete(key)
    else this.#sizes.set(key, bytes)
    this.#heldBytes += bytes - before
    this.#budget.release(before)
    this.#budget.take(bytes)
  }

  /** The group is not in memory any more. Idempotent. */
  release(): void {
    this.#budget.release(this.#heldBytes)
    this.#heldBytes = 0
    this.#sizes.clear()
  }
}

/** What the row of a change holds in memory; 0 if the change removes it. */
export function rowBytes(change: SavedChange): number {
  if (change.value === null || change.kind === 'group') return 0
  return change.kind === 'member' ? memberBytes(change.value) : change.value.assignment.length
}

export function memberBytes({ protocols }: Pick<MemberRow, 'protocols'>): number {
  return protocols.reduce((sum, { name, metadata }) => sum + name.length + metadata.length, memberRowBytes)
}

/** What a member takes besides what clients send: objects, keys, and its session. */
const memberRowBytes = 500
