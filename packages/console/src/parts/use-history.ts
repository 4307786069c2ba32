// The last values of one number, for a chart.
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
