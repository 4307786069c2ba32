// The list that `waitFor` answers. In JavaScript no type says that it is one, so what belongs to a record says it at run time.
import type { KafkaRecord } from './record.ts'

type Records = [KafkaRecord, ...KafkaRecord[]]

/** An ordinary array, also to `toEqual` and `deepEqual`: what it has beside its records is neither enumerable nor shown. */
export function recordList(records: Records, call: string): Records {
  for (const name of ofRecords)
    Object.defineProperty(records, name, {
      enumerable: false,
      configurable: true,
      get(): never {
        throw new TypeError(
          `${call} answers a list, which has no '${name}': write const [record] = await kafka.waitFor(…), then record.${name}`,
        )
      },
    })
  return records
}

const ofRecords: readonly (keyof KafkaRecord)[] = [
  'topic',
  'partition',
  'offset',
  'timestamp',
  'key',
  'value',
  'headers',
  'text',
  'json',
  'keyText',
  'headerText',
]
