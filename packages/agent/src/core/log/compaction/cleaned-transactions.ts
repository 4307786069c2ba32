// The transactions in the part of a log that a pass has read: which markers end one without batches, as Kafka's CleanedTransactionMetadata decides.
import type { TransactionResult } from '../../transaction/transaction-row.ts'

/** One for each time that a log is written again from its start. */
export class CleanedTransactions {
  /** The producers with a batch whose marker has not been met yet, by how their transaction ends. */
  readonly #met: Readonly<Record<TransactionResult, Set<number>>> = { commit: new Set(), abort: new Set() }

  /** Call it for each batch of a transaction, also for those that the pass removes. `outcome`: that of the transaction. */
  meetBatch(producerId: number, outcome: TransactionResult): void {
    this.#met[outcome].add(producerId)
  }

  /** Call it for each marker. True: the log had no batch of its transaction any more when the pass began. */
  meetMarker(producerId: number, outcome: TransactionResult): boolean {
    return !this.#met[outcome].delete(producerId)
  }
}
