// AlterReplicaLogDirs 1–2: moves replicas to other directories of a broker (KIP-113).
import { api, array, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API AlterReplicaLogDirs: the fields of its requests and responses in each version. */
export const AlterReplicaLogDirs = api({
  key: 34,
  name: 'AlterReplicaLogDirs',
  versions: [1, 2],
  flexible: 2,
  request: {
    dirs: array({
      path: string(),
      topics: array({
        name: string(),
        partitions: array(int32()),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
})

/** A decoded request of AlterReplicaLogDirs: fields that its version lacks have their defaults. */
export interface AlterReplicaLogDirsRequest extends RequestOf<typeof AlterReplicaLogDirs> {}
/** A response of AlterReplicaLogDirs to encode, for any version. */
export interface AlterReplicaLogDirsResponse extends ResponseOf<typeof AlterReplicaLogDirs> {}
