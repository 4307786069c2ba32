// The parts of an agent that its Kafka port may use. Each handler declares which of them it uses.
import type { Forwarder } from './api/forwarder.ts'
import type { Gate } from './api/gate.ts'
import type { Groups } from './coordinate/groups.ts'
import type { TransactionCoordinator } from './coordinate/transactions.ts'
import type { Checksum } from './core/checksum.ts'
import type { ClusterId } from './core/ids.ts'
import type { Membership } from './membership.ts'
import type { Packer } from './memory/packer.ts'
import type { Unpacker } from './memory/unpacker.ts'
import type { LogIndex, ResourceConfigs } from './metadata/metadata-store.ts'
import type { TransactionStore } from './metadata/transaction-store.ts'
import type { DecodedRequests } from './net/decoded-requests.ts'
import type { EventHook } from './observe/events.ts'
import type { BrokerConfigOperations } from './operations/broker-configs.ts'
import type { RecordDeletion } from './operations/record-deletion.ts'
import type { TopicOperations } from './operations/topics.ts'
import type { AnswerMemory } from './read/answer-memory.ts'
import type { Offsets } from './read/offsets.ts'
import type { Reader } from './read/reader.ts'
import type { FetchSessions } from './read/sessions.ts'
import type { Settings } from './settings.ts'
import type { Clock, Random } from './time/clock.ts'
import type { Turns } from './time/turns.ts'
import type { Catalog } from './view/catalog.ts'
import type { Owners } from './view/owners.ts'
import type { Tails } from './view/tails.ts'
import type { ProducerIds } from './write/producer-ids.ts'
import type { Writer } from './write/writer.ts'

export interface Services {
  /** The clock that stamps records and times requests. */
  readonly clock: Clock
  /** The clock of sockets: never ahead of real time. */
  readonly ioClock: Clock
  /** Makes long work yield to other requests: by units of work, never by time. */
  readonly turns: Turns
  readonly random: Random
  readonly settings: Settings
  readonly gate: Gate
  readonly emit: EventHook
  readonly unpacker: Unpacker
  readonly packer: Packer
  readonly crc32c: Checksum
  readonly clusterId: ClusterId
  readonly catalog: Catalog
  readonly owners: Owners
  readonly tails: Tails
  readonly topics: TopicOperations
  readonly log: Pick<LogIndex, 'sizes' | 'producers'>
  readonly transactionStore: Pick<TransactionStore, 'aborted' | 'find' | 'list' | 'pendingIn'>
  readonly recordDeletion: RecordDeletion
  /** The configs of resources other than topics. */
  readonly resources: ResourceConfigs
  readonly brokerConfigs: BrokerConfigOperations
  readonly writer: Writer
  readonly reader: Reader
  /** The memory of Kafka's fetch answers. */
  readonly answerMemory: AnswerMemory
  readonly fetchSessions: FetchSessions
  /** The memory of requests. */
  readonly decodedRequests: DecodedRequests
  readonly offsets: Offsets
  readonly producerIds: ProducerIds
  readonly groups: Groups
  readonly transactions: TransactionCoordinator
  readonly forwarder: Forwarder
  /** Reads again who owns what. */
  readonly membership: Pick<Membership, 'refresh'>
}
