// The list that `waitFor` returns. In JavaScript no type shows that it is a list, so accessing a record's property on it throws.
import type { KafkaRecord } from './record.ts'

type Records = [KafkaRecord, ...KafkaRecord[]]

/** An ordinary array, also for `toEqual` and `deepEqual`: the additional properties are neither enumerable nor printed. */
export function recordList(records: Records, call: string): Records {
  for (const name of ofRecords)
    Object.defineProperty(records, name, {
      enumerable: false,
      configurable: true,
      get(): never {
        throw new TypeError(
          `${call} returns a list, which has no '${name}': use const [record] = await kafka.waitFor(…), then record.${name}`,
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
