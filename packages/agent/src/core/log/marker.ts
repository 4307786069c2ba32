// The marker of a transaction in one log: the control record that commits or aborts what its producer appended.
import type { TransactionEnd } from '../transaction/transaction.ts'

export interface Marker extends TransactionEnd {
  /** The epoch of the slot of the transactional id. */
  readonly coordinatorEpoch: number
  /** The epoch of the partition's slot. */
  readonly leaderEpoch: number
}
