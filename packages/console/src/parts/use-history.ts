// The last values of one number, or of a number for each key, for charts.
import { useRef } from 'preact/hooks'

/** `answer`: a new object adds a value; undefined adds none. */
export function useHistory<Answer extends object>(
  answer: Answer | undefined,
  value: (answer: Answer) => number,
  length: number,
): readonly number[] {
  const seen = useRef<Answer | undefined>(undefined)
  const values = useRef<readonly number[]>([])
  if (answer !== undefined && answer !== seen.current) {
    seen.current = answer
    values.current = [...values.current, value(answer)].slice(-length)
  }
  return values.current
}

/** The same for a number for each key. A key that is gone has no history. */
export function useHistories<Answer extends object>(
  answer: Answer | undefined,
  values: (answer: Answer) => ReadonlyMap<string, number>,
  length: number,
): ReadonlyMap<string, readonly number[]> {
  const seen = useRef<Answer | undefined>(undefined)
  const histories = useRef<ReadonlyMap<string, readonly number[]>>(new Map())
  if (answer !== undefined && answer !== seen.current) {
    seen.current = answer
    const before = histories.current
    histories.current = new Map([...values(answer)].map(([key, value]) => [key, [...(before.get(key) ?? []), value].slice(-length)]))
  }
  return histories.current
}
