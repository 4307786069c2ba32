// The expiry of committed offsets: those of groups without members, and those of topics that no member of a group reads.
import type { AgedTopic, GroupStore, SaveGroup } from '../metadata/metadata-store.ts'

export interface GroupExpiryParts {
  readonly store: Pick<GroupStore, 'expirable' | 'expire' | 'aged'>
  /** offsets.retention.minutes, in milliseconds. */
  readonly offsetsRetentionMs: number
  readonly isMine: (groupId: string) => boolean
  /** Drops the group's runner, if it has one. False: the runner is in use. */
  readonly unload: (groupId: string) => boolean
  /** Removes offsets of one group in a save of its runner, as far as none of its members reads their topics. Rejects if the group cannot be loaded. */
  readonly removeUnread: (
    groupId: string,
    expired: (subscribed: ReadonlySet<string> | 'all') => SaveGroup['expiredOffsets'],
  ) => Promise<void>
  /** Reports a failure, and settles. */
  readonly attempt: (what: string, signal: AbortSignal, work: () => Promise<void>) => Promise<boolean>
}

export class GroupExpiry {
  readonly #parts: GroupExpiryParts
  /** The groups whose expired rows a running transaction removes. */
  #expiring: { readonly groupIds: ReadonlySet<string>; readonly done: Promise<void> } | undefined

  constructor(parts: GroupExpiryParts) {
    this.#parts = parts
  }

  /** Settles when no transaction removes rows of the group: a runner that is opened before it commits could not save. */
  async settled(groupId: string): Promise<void> {
    const expiring = this.#expiring
    if (expiring?.groupIds.has(groupId) === true) await expiring.done.catch(() => {})
  }

  /** Removes what is old now. */
  async run(signal: AbortSignal): Promise<void> {
    const { attempt } = this.#parts
    await attempt('expiring offsets', signal, () => this.#expire(signal))
    await attempt('expiring offsets that no member reads', signal, () => this.#expireUnread(signal))
  }

  /** Removes the old offsets of groups without members, then the groups without offsets. */
  async #expire(signal: AbortSignal): Promise<void> {
    const { store, offsetsRetentionMs: retentionMs, isMine, unload } = this.#parts
    for (let after: string | undefined; ; ) {
      const page = await store.expirable({ retentionMs, after })
      after = page.at(-1)
      if (after === undefined || signal.aborted) return
      // A group in use stays: a client is about to join it or to commit.
      const groupIds = page.filter((groupId) => isMine(groupId) && unload(groupId))
      if (groupIds.length === 0) continue
      const done = store.expire({ retentionMs, groupIds })
      this.#expiring = { groupIds: new Set(groupIds), done }
      await done.finally(() => (this.#expiring = undefined))
    }
  }

  /** Removes old offsets of topics that no member reads, from groups with members. */
  async #expireUnread(signal: AbortSignal): Promise<void> {
    const { store, offsetsRetentionMs: retentionMs, isMine, removeUnread, attempt } = this.#parts
    for (let after: AgedTopic | undefined; ; ) {
      const aged = await store.aged({ retentionMs, after })
      after = aged.at(-1)
      if (after === undefined) return
      for (const [groupId, topics] of Map.groupBy(aged, (one) => one.groupId)) {
        if (signal.aborted) return
        if (!isMine(groupId)) continue
        // Each group separately, so that one that can't be loaded does not stop the expiry of the others.
        await attempt(`expiring offsets of group ${groupId}`, signal, () =>
          removeUnread(groupId, (subscribed) =>
            subscribed === 'all'
              ? []
              : topics.filter(({ topic }) => !subscribed.has(topic)).map(({ topicId }) => ({ topicId, retentionMs })),
          ),
        )
      }
    }
  }
}
