/// <reference lib="esnext.disposable" preserve="true" />
// The public surface: a Kafka server in the calling process, for tests and for embedding. Its types name no internal package.
import type { Kafka } from './embedded/kafka.ts'
import { startEmbedded } from './embedded/start.ts'
import type { StartKafkaOptions } from './embedded/start-options.ts'

export type { ClientConfigs, ConfluentConfig, KafkaJsConfig, PlatformaticConfig, RdkafkaConfig } from './embedded/client-config.ts'
export type {
  BelowOptions,
  Duration,
  Fault,
  FaultError,
  FaultOptions,
  FaultRequest,
  Faults,
  FaultVerdict,
  MetadataFaults,
  MetadataRequest,
  SeenFault,
  StoreErrorKind,
  StoreFaults,
  StoreOperation,
  StoreRequest,
} from './embedded/faults/fault-types.ts'
export type { ApiName, KafkaErrorName } from './embedded/faults/kafka-names.ts'
export type { MetadataVerb } from './embedded/faults/metadata-verbs.ts'
export type { ExpectNoErrorsOptions, RequestFilter, RequestOutcome, SeenError, SeenRequest } from './embedded/faults/seen-request.ts'
export type { GroupDescription, GroupMember, GroupPartition, KafkaGroup, ReadyOptions, SeekOptions, SeekTo } from './embedded/group.ts'
export type { ForkOptions, Kafka, KafkaEvent } from './embedded/kafka.ts'
export type { AdvanceOptions, KafkaClock } from './embedded/kafka-clock.ts'
export type { KafkaRecord, RecordInput, RecordRef, RecordsQuery } from './embedded/record.ts'
export { RefusedError } from './embedded/rejection-error.ts'
export type { StartKafkaOptions } from './embedded/start-options.ts'
export type { TopicSpec } from './embedded/topic-spec.ts'
export type { KafkaTransaction } from './embedded/transaction.ts'
export type { WaitOptions } from './embedded/wait-options.ts'
export { WaitTimeoutError } from './embedded/wait-timeout-error.ts'
export { UserError, type UserErrorCode } from './user-error.ts'

/** One process can run several servers. Rejects with a UserError if the user can fix the cause: a busy port, a directory in use, an unreachable store. */
export function startKafka(options: StartKafkaOptions = {}): Promise<Kafka> {
  return startEmbedded(options)
}
