// Names that several files give to a type: those that mean the same in each, with the reason.

export interface TypeNameException {
  readonly name: string
  readonly why: string
}

const publicCopy = 'public in the product, whose types name no internal package; the same thing inside'
const ofHandler = 'private to a handler of a Kafka API: that part of its own message'

export const typeNameExceptions: readonly TypeNameException[] = [
  { name: 'GroupDescription', why: publicCopy },
  { name: 'GroupMember', why: publicCopy },
  { name: 'GroupPartition', why: publicCopy },
  { name: 'KafkaErrorName', why: publicCopy },
  { name: 'SeekTo', why: publicCopy },
  { name: 'StoreOperation', why: publicCopy },
  { name: 'MetadataRequest', why: "Kafka's message in the protocol; public in the product for a request to the Metadata Service" },
  { name: 'HeartbeatRequest', why: "Kafka's message, and the same request as the machine of a group receives it" },
  { name: 'OffsetDeleteRequest', why: "Kafka's message, and the same request as the machine of a group receives it" },
  { name: 'GroupResponse', why: ofHandler },
  { name: 'PartitionRequest', why: ofHandler },
  { name: 'PartitionResponse', why: ofHandler },
  { name: 'TopicRequest', why: ofHandler },
  { name: 'TopicResponse', why: ofHandler },
  { name: 'Uses', why: 'private to a handler of a Kafka API: the services that it uses' },
]
