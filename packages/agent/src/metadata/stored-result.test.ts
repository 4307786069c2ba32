// The stored text of a commit's result, checked by hand once: every later version must read it, and write the same.
import { expect, test } from 'vitest'
import type { CommitResult } from './metadata-store.ts'
import { decodeResult, encodeResult } from './stored-result.ts'

const golden =
  '{"verdicts":[{"kind":"appended","baseOffset":7},{"kind":"refused","reason":"OUT_OF_ORDER_SEQUENCE_NUMBER"},' +
  '{"kind":"duplicate","baseOffset":3,"timestamp":1700000000000}],"grown":[]}'

const result: CommitResult = {
  verdicts: [
    { kind: 'appended', baseOffset: 7 },
    { kind: 'rejected', reason: 'OUT_OF_ORDER_SEQUENCE_NUMBER' },
    { kind: 'duplicate', baseOffset: 3, timestamp: 1_700_000_000_000 },
  ],
  grown: [],
}

test('a result is stored as the golden text, and read back', () => {
  expect(encodeResult(result)).toBe(golden)
  expect(decodeResult(golden)).toEqual(result)
})
