// The public surface of the agent: its constructor, its ports, and the inputs and results of its operations.
export { errors, KafkaError, type KafkaErrorName } from '@local-kafka-service/protocol'
export { type Agent, type AgentOperations, type AgentOptions, createAgent } from './agent.ts'
export type { Parts } from './agent-parts.ts'
export type { Gate } from './api/gate.ts'
export type { Operation, RequestContext, Resource } from './api/request-context.ts'
export type { CopySource } from './copies.ts'
export type { ClusterId, TopicId } from './core/ids.ts'
export { defaultLimits, fixedLimits, type Limits } from './limits.ts'
export { LeaseHeldError, type TakeOver } from './membership.ts'
export type { InterceptedRun, RunFate, SqlInterceptor } from './metadata/intercepted.ts'
export { type DeletedTopic, type HttpUrls, type Member, MetadataError, type Topic } from './metadata/metadata-store.ts'
export { errorStack, errorText, isError } from './native-error.ts'
export type { HeldPort } from './net/held-port.ts'
export { holdTcpPort } from './net/held-tcp-port.ts'
export type {
  Act,
  ConnectionInterceptor,
  End,
  InterceptableConnection,
  InterceptedRequest,
  Interception,
  Interceptor,
  Misunderstood,
  RequestFate,
} from './net/interceptor.ts'
export { StalledReaders } from './net/stalled-readers.ts'
export { makeFolder } from './objects/adapters/make-folder.ts'
export { ObjectStoreError } from './objects/object-store.ts'
export type { InterceptedStoreRequest, StoreFate, StoreInterceptor } from './objects/wrappers/intercepted.ts'
export type { AgentEvent, EventClient, EventHook, LeaseHolder, Misunderstanding } from './observe/events.ts'
export type { Metric } from './observe/metric.ts'
export { type RecentFlush, RecentFlushes } from './observe/recent-flushes.ts'
export { RecentRequests, type RequestRow, recentMinutes } from './observe/recent-requests.ts'
export type { DamagedPlace, DamageOperations, SkipDamaged } from './operations/damage.ts'
export type { GroupDescription, GroupMember, GroupOperations, SeekTo, Sought } from './operations/groups.ts'
export type { LogRecord } from './operations/log-record.ts'
export type { NewestAnswer, NewestRecords } from './operations/newest-records.ts'
export type { Appended, AppendRecords, RecordToAppend } from './operations/record-append.ts'
export type { RecordFilter, Unreadable } from './operations/record-pages.ts'
export type { From, Positions, RecordRejection } from './operations/record-places.ts'
export type { QueryAnswer, QueryCursor, QueryRecords, Scanned } from './operations/record-query.ts'
export { characterEnd } from './operations/record-size.ts'
export type { RecordTail, TailRecords, TailStep } from './operations/record-tail.ts'
export type { Produced, ProduceOne, ReadAnswer, ReadRecords, RecordOperations } from './operations/records.ts'
export type { TopicOperations } from './operations/topics.ts'
export type {
  TopicOfTransaction,
  TransactionDescription,
  TransactionFilter,
  TransactionListing,
  TransactionOperations,
} from './operations/transactions.ts'
export {
  type Beginning,
  type Interceptors,
  type MetadataPlace,
  movableTime,
  type ObjectsPlace,
  type OpenedParts,
  openParts,
  type PartsDescription,
  PartsError,
} from './parts.ts'
export { type Promoted, PromotionError, type PromotionStep, promote } from './promotion.ts'
export { type AnswerClaim, NoAnswerMemory } from './read/answer-memory.ts'
export {
  type AgentSettingName,
  agentSettings,
  flag,
  number,
  type Setting,
  type SettingSource,
  type Settings,
  settings,
  text,
} from './settings.ts'
export { type StorePrices, storePrices } from './store-prices.ts'
export { onAbort, orAborted } from './time/abort.ts'
export type { Clock, Random, Timer } from './time/clock.ts'
export { longPoll } from './time/long-poll.ts'
export type { MovableTime, MoveOptions } from './time/movable-time.ts'
export { orLate } from './time/or-late.ts'
export type { JobStatus } from './upkeep/job-report.ts'
export type { SweepRequest } from './upkeep/orphan-sweep.ts'
export type { StorageCheck } from './upkeep/storage-checks.ts'
export type { Orphan, StoredAmount, SweepReport } from './upkeep/sweep-survey.ts'
export { retentionDefaults } from './write/topic-config.ts'
export type { FlushPolicy } from './write/writer.ts'
