// ConsumerGroupHeartbeat 0–1: a member of a group of the consumer protocol joins, reconciles its assignment, and leaves (KIP-848).
import { api, array, int16, int32, type RequestOf, type ResponseOf, string, struct, uuid } from '../schema/dsl.ts'

/** The API ConsumerGroupHeartbeat: the fields of its requests and responses in each version. */
export const ConsumerGroupHeartbeat = api({
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: [0, 1],
  flexible: 0,
  request: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    instanceId: string({ nullable: true, default: null }),
    rackId: string({ nullable: true, default: null }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    subscribedTopicNames: array(string(), { nullable: true, default: null }),
    subscribedTopicRegex: string({ versions: '1+', nullable: true, default: null }),
    serverAssignor: string({ nullable: true, default: null }),
    topicPartitions: array({ topicId: uuid(), partitions: array(int32()) }, { nullable: true, default: null }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
    memberId: string({ nullable: true, default: null }),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    assignment: struct({ topicPartitions: array({ topicId: uuid(), partitions: array(int32()) }) }, { nullable: true, default: null }),
  },
})

/** A decoded request of ConsumerGroupHeartbeat: fields that its version lacks have their defaults. */
export interface ConsumerGroupHeartbeatRequest extends RequestOf<typeof ConsumerGroupHeartbeat> {}
/** A response of ConsumerGroupHeartbeat to encode, for any version. */
export interface ConsumerGroupHeartbeatResponse extends ResponseOf<typeof ConsumerGroupHeartbeat> {}
