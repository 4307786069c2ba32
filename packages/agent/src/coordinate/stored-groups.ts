// The stored groups, read in bulk and in slices: a request may name a hundred thousand of them.
import { KafkaError } from '@local-kafka-service/protocol'
import type { Described } from '../core/group/classic-messages.ts'
import { fixedLimits } from '../limits.ts'
import {
  type CommittedOffset,
  type GroupHead,
  type GroupOffset,
  type GroupStore,
  MetadataError,
  type OffsetPlace,
} from '../metadata/metadata-store.ts'
import type { Turns } from '../time/turns.ts'

export interface StoredGroupsParts {
  readonly store: Pick<GroupStore, 'find' | 'offsets' | 'offsetsAt'>
  readonly turns: Turns
}

/** The part of a group that DescribeGroups returns. */
export type DescribedGroup = Pick<Described, 'state' | 'protocolType' | 'protocolName' | 'members'>

/** Head rows of groups that are not loaded. */
export interface UnloadedGroups {
  readonly asked: ReadonlySet<string>
  /** A group that does not exist is missing. */
  readonly heads: ReadonlyMap<string, GroupHead>
}

/** The description of a group without members. Undefined: the group has members, which only its machine knows. */
export function withoutMembers(head: GroupHead | undefined): DescribedGroup | undefined {
  if (head === undefined) return { state: 'Dead', protocolType: '', protocolName: '', members: [] }
  if (head.state !== 'Empty') return undefined
  return { state: 'Empty', protocolType: head.protocolType ?? '', protocolName: '', members: [] }
}

/** Rejects with a KafkaError COORDINATOR_NOT_AVAILABLE when the database is unavailable. */
export class StoredGroups {
  readonly #parts: StoredGroupsParts

  constructor(parts: StoredGroupsParts) {
    this.#parts = parts
  }

  /** By id; a group that does not exist is missing. */
  async heads(groupIds: readonly string[]): Promise<ReadonlyMap<string, GroupHead>> {
    const heads = new Map<string, GroupHead>()
    await this.#eachPage(groupIds, fixedLimits.namesPerRead, async (page) => {
      for (const head of await this.#parts.store.find(page)) heads.set(head.groupId, head)
    })
    return heads
  }

  /** All committed offsets of these groups in topics that are not deleted, by group, then by topic id and partition. */
  async offsets(groupIds: readonly string[]): Promise<ReadonlyMap<string, readonly CommittedOffset[]>> {
    const { store, turns } = this.#parts
    const byGroup = new Map<string, GroupOffset[]>()
    const slice = turns.slice()
    await this.#eachPage(groupIds, fixedLimits.namesPerRead, async (page) => {
      for (let after: OffsetPlace | undefined; ; ) {
        const rows = await retriable(store.offsets({ groupIds: page, after }))
        for (const row of rows) {
          const known = byGroup.get(row.groupId)
          if (known === undefined) byGroup.set(row.groupId, [row])
          else known.push(row)
        }
        if (rows.length < fixedLimits.offsetsPerRead) return
        after = rows.at(-1)
        if (slice.spent(rows.length)) await slice.next()
      }
    })
    return byGroup
  }

  /** The committed offsets of these partitions of topics that are not deleted, in any order. */
  async offsetsAt(places: readonly OffsetPlace[]): Promise<readonly GroupOffset[]> {
    const found: GroupOffset[] = []
    await this.#eachPage(places, fixedLimits.offsetsPerRead, async (page) => {
      for (const row of await this.#parts.store.offsetsAt(page)) found.push(row)
    })
    return found
  }

  async #eachPage<T>(items: readonly T[], size: number, read: (page: readonly T[]) => Promise<void>): Promise<void> {
    const slice = this.#parts.turns.slice()
    for (let at = 0; at < items.length; at += size) {
      await retriable(read(items.slice(at, at + size)))
      if (slice.spent(size)) await slice.next()
    }
  }
}

/** An unavailable database means an unavailable coordinator: members retry. */
export async function retriable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof MetadataError && error.kind === 'unavailable')
      throw new KafkaError('COORDINATOR_NOT_AVAILABLE', error.message, { cause: error })
    throw error
  }
}
