// All contracts of a Metadata Service, for one database.
import { damageStoreContract } from '../damage-store.contract.ts'
import { expiryStoreContract } from '../expiry-store.contract.ts'
import { groupStoreContract } from '../group-store.contract.ts'
import { logStartContract } from '../log-start.contract.ts'
import { metadataStoreContract } from '../metadata-store.contract.ts'
import { orphanStoreContract } from '../orphan-store.contract.ts'
import { recoveryStoreContract } from '../recovery-store.contract.ts'
import { retentionContract } from '../retention.contract.ts'
import { swapStoreContract } from '../swap-store.contract.ts'
import { sweepStoreContract } from '../sweep-store.contract.ts'
import { transactionStoreContract } from '../transaction-store.contract.ts'
import type { ContractDatabase } from './a-cluster.ts'

/** Runs all contracts, each on a database of its own. */
export function contracts(name: string, open: () => Promise<ContractDatabase>): void {
  metadataStoreContract(name, open)
  groupStoreContract(name, open)
  recoveryStoreContract(name, open)
  damageStoreContract(name, open)
  swapStoreContract(name, open)
  logStartContract(name, open)
  retentionContract(name, open)
  sweepStoreContract(name, open)
  transactionStoreContract(name, open)
  orphanStoreContract(name, open)
  expiryStoreContract(name, open)
}
