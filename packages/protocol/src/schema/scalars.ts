// The scalar types of Kafka's messages: the sizes, the zero value and the methods of each.
import { zeroUuid } from '../wire/uuid.ts'
import type { ScalarType } from './dsl.ts'

export interface ScalarFacts {
  /** The smallest size of a value in bytes, in classic and in flexible versions. */
  readonly smallest: readonly [classic: number, flexible: number]
  /** The value that a field has by default. */
  readonly zero: boolean | number | bigint | string | Uint8Array | null
  /** The noun in the names of its methods in MessageReader and MessageWriter, if it has a length prefix; the methods of the other types have the type's name. */
  readonly sized?: string
}

export const scalars: Readonly<Record<ScalarType, ScalarFacts>> = {
  bool: { smallest: [1, 1], zero: false },
  int8: { smallest: [1, 1], zero: 0 },
  int16: { smallest: [2, 2], zero: 0 },
  uint16: { smallest: [2, 2], zero: 0 },
  int32: { smallest: [4, 4], zero: 0 },
  int64: { smallest: [8, 8], zero: 0 },
  big64: { smallest: [8, 8], zero: 0n },
  float64: { smallest: [8, 8], zero: 0 },
  uuid: { smallest: [16, 16], zero: zeroUuid },
  string: { smallest: [2, 1], zero: '', sized: 'String' },
  bytes: { smallest: [4, 1], zero: new Uint8Array(0), sized: 'Octets' },
  records: { smallest: [4, 1], zero: null, sized: 'Octets' },
}
