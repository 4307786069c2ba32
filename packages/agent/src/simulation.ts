// Exports for a simulator, beside the public surface: the ports, and the implementations that use nothing outside the process.
export { nativeCrc32c, nodeCodecs } from './codecs.ts'
export type { Incarnation, TopicId } from './core/ids.ts'
export { partitionKey } from './core/ids.ts'
export type { Marker } from './core/log/marker.ts'
export { objectKey, parseObjectKey } from './core/object-key.ts'
export type { TransactionRow } from './core/transaction/transaction-row.ts'
export { releasedByte, SlabPool } from './memory/slab-pool.ts'
export type { DeleteRecordsInput } from './metadata/log-start.ts'
export type {
  CommitBatch,
  CommitInput,
  CommitResult,
  DeletedRecords,
  MetadataStore,
  Registration,
  Segment,
  TakenSlots,
  TakeSlots,
  UndeleteTopicResult,
} from './metadata/metadata-store.ts'
export { openMetadata } from './metadata/open.ts'
export type { Retain, RetainedLog } from './metadata/retention-store.ts'
export type { CopyableSql, Sql, TransactionOutcome, TransactionTable } from './metadata/sql.ts'
export { memoryName, openSqlite } from './metadata/sqlite.ts'
export type { TransactionalAnswer, TransactionalRequest } from './metadata/transaction-store.ts'
export type { Transactions } from './metadata/transactions.ts'
export type { ListenAddress, Listener, Network, Socket, SocketEvents } from './net/network.ts'
export { MemoryObjects } from './objects/adapters/memory.ts'
export { SimulatedDisk } from './objects/adapters/volumes/simulated-disk.ts'
export { VolumeObjects, type VolumeOptions } from './objects/adapters/volumes/volume-objects.ts'
export { claimPrefix } from './objects/cluster-file.ts'
export {
  abortedError,
  type ByteRange,
  type ListedObject,
  type ObjectStore,
  ObjectStoreError,
  type PutIfAbsent,
  type RemoveResult,
} from './objects/object-store.ts'
export { RetryingObjects, type RetryPolicy } from './objects/wrappers/retrying.ts'
export { type RecoveryParts, recover } from './upkeep/recovery.ts'
export type { FlushPolicy } from './write/writer.ts'
