// The groups whose members use a connection, so that each of them learns when it ends.
import { onAbort } from '../time/abort.ts'

export class GroupConnections {
  readonly #groups = new Map<number, Set<string>>()
  readonly #ended: (groupId: string, connection: number) => void

  /** `ended` is called for each group of a connection that has ended. */
  constructor(ended: (groupId: string, connection: number) => void) {
    this.#ended = ended
  }

  /** Notes that a member of the group uses the connection, which ends when the signal aborts. */
  watch(connection: number, signal: AbortSignal, groupId: string): void {
    const known = this.#groups.get(connection)
    if (known !== undefined) {
      known.add(groupId)
      return
    }
    const groupIds = new Set([groupId])
    this.#groups.set(connection, groupIds)
    onAbort(signal, () => {
      this.#groups.delete(connection)
      for (const id of groupIds) this.#ended(id, connection)
    })
  }
}
