// DescribeLogDirs 1–5: the sizes of partitions, by directory (KIP-113).
import { api, array, bool, int16, int32, int64, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API DescribeLogDirs: the fields of its requests and responses in each version. */
export const DescribeLogDirs = api({
  key: 35,
  name: 'DescribeLogDirs',
  versions: [1, 5],
  flexible: 2,
  request: {
    topics: array(
      {
        topic: string(),
        partitions: array(int32()),
      },
      { nullable: true },
    ),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16({ versions: '3+', ignorable: true }),
    results: array({
      errorCode: int16(),
      logDir: string(),
      topics: array({
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          partitionSize: int64(),
          offsetLag: int64(),
          isFutureKey: bool(),
        }),
      }),
      totalBytes: int64({ versions: '4+', default: -1, ignorable: true }),
      usableBytes: int64({ versions: '4+', default: -1, ignorable: true }),
      isCordoned: bool({ versions: '5+', default: false, ignorable: true }),
    }),
  },
})

/** A decoded request of DescribeLogDirs: fields that its version lacks have their defaults. */
export interface DescribeLogDirsRequest extends RequestOf<typeof DescribeLogDirs> {}
/** A response of DescribeLogDirs to encode, for any version. */
export interface DescribeLogDirsResponse extends ResponseOf<typeof DescribeLogDirs> {}
