// ElectLeaders 0–2: elects the leaders of partitions (KIP-460).
import { api, array, int8, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API ElectLeaders: the fields of its requests and responses in each version. */
export const ElectLeaders = api({
  key: 43,
  name: 'ElectLeaders',
  versions: [0, 2],
  flexible: 2,
  request: {
    electionType: int8({ versions: '1+' }),
    topicPartitions: array(
      {
        topic: string(),
        partitions: array(int32()),
      },
      { nullable: true },
    ),
    timeoutMs: int32({ default: 60000 }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16({ versions: '1+' }),
    replicaElectionResults: array({
      topic: string(),
      partitionResult: array({
        partitionId: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: true }),
      }),
    }),
  },
})

/** A decoded request of ElectLeaders: fields that its version lacks have their defaults. */
export interface ElectLeadersRequest extends RequestOf<typeof ElectLeaders> {}
/** A response of ElectLeaders to encode, for any version. */
export interface ElectLeadersResponse extends ResponseOf<typeof ElectLeaders> {}
