// InitProducerId 0–5: a producer id and epoch. Version 6 (two-phase commit) is not stable in Kafka.
import { api, int16, int32, int64, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API InitProducerId: the fields of its requests and responses in each version. */
export const InitProducerId = api({
  key: 22,
  name: 'InitProducerId',
  versions: [0, 5],
  flexible: 2,
  request: {
    transactionalId: string({ nullable: true }),
    transactionTimeoutMs: int32(),
    producerId: int64({ versions: '3+', default: -1, clamped: true }),
    producerEpoch: int16({ versions: '3+', default: -1 }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerId: int64({ default: -1 }),
    producerEpoch: int16(),
  },
})

/** A decoded request of InitProducerId: fields that its version lacks have their defaults. */
export interface InitProducerIdRequest extends RequestOf<typeof InitProducerId> {}
/** A response of InitProducerId to encode, for any version. */
export interface InitProducerIdResponse extends ResponseOf<typeof InitProducerId> {}
