// Gives slots to other agents while clients go on: requests for them wait until everything that was admitted is answered and the new owner is known.
import type { Groups } from './coordinate/groups.ts'
import { giftsOf, type SlotGift } from './core/slot-shares.ts'
import { fixedLimits, type Limits } from './limits.ts'
import type { Membership } from './membership.ts'
import { MetadataError } from './metadata/metadata-store.ts'
import type { EventHook } from './observe/events.ts'
import type { Clock } from './time/clock.ts'
import { every } from './time/every.ts'
import { orLate } from './time/or-late.ts'
import type { Writer } from './write/writer.ts'

export interface SlotMovesParts {
  readonly membership: Pick<Membership, 'owners' | 'give' | 'eligible'>
  readonly groups: Pick<Groups, 'release'>
  readonly writer: Pick<Writer, 'settled'>
  /** Of leases. */
  readonly clock: Clock
  readonly emit: EventHook
  readonly limits: Pick<Limits, 'slotMoveMs'>
}

export class SlotMoves {
  readonly #parts: SlotMovesParts

  constructor(parts: SlotMovesParts) {
    this.#parts = parts
  }

  /** Gives slots away as long as this agent has more than its share, a few at a time, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, limits, membership } = this.#parts
    for await (const _ of every(clock, limits.slotMoveMs, signal)) {
      const { owners } = membership
      if (owners.isUndivided || owners.isLeaving) continue
      const gifts = giftsOf({
        owners: owners.ownerOfEach,
        giver: owners.incarnation.id,
        receivers: membership.eligible(),
        agentCount: [...owners.members].length,
        atMost: fixedLimits.slotsPerMove,
      })
      if (gifts.length > 0) await this.#give(gifts)
    }
  }

  /** If the store or the database is slow, nothing is given: clients do not wait for it. */
  async #give(gifts: readonly SlotGift[]): Promise<void> {
    const { membership, groups, writer, clock, emit } = this.#parts
    const slots = new Set(gifts.map(({ slot }) => slot))
    const end = membership.owners.beginMove(slots)
    try {
      const settling = Promise.all([groups.release(slots), writer.settled()])
      if ((await orLate(settling, { clock, afterMs: fixedLimits.moveSettleMs }, 'late')) === 'late') return
      const given = await membership.give(gifts)
      if (given > 0) emit({ kind: 'notice', message: `gave ${given} slots to other agents, which have fewer` })
    } catch (error) {
      // The slots stay, or the next heartbeat reads that they have moved.
      if (!(error instanceof MetadataError)) throw error
    } finally {
      end()
    }
  }
}
