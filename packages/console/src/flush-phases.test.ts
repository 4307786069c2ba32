// The phases of a flush at each moment of its life.
import { expect, test } from 'vitest'
import { rangeOf, type ShownFlush, spansOf, stateAt } from './flush-phases.ts'

const sealedAtMs = Date.UTC(2026, 0, 1)
const flush: ShownFlush = {
  sequence: 7,
  sealedAt: new Date(sealedAtMs).toISOString(),
  openMs: 250,
  storeMs: 100,
  waitMs: 20,
  commitMs: 5,
  failure: null,
}

const at = (ms: number, of: ShownFlush = flush): readonly string[] =>
  spansOf(of, sealedAtMs + ms).map(({ phase, fromMs, toMs }) => `${phase} ${fromMs - sealedAtMs}..${toMs - sealedAtMs}`)

test('a flush is open, stored, waits and is committed, one after another', () => {
  expect(at(-251)).toEqual([])
  expect(at(-100)).toEqual(['open -250..-100'])
  expect(at(40)).toEqual(['open -250..0', 'store 0..40'])
  expect(at(110)).toEqual(['open -250..0', 'store 0..100', 'wait 100..110'])
  expect(at(9_999)).toEqual(['open -250..0', 'store 0..100', 'wait 100..120', 'commit 120..125'])
  expect([-251, -100, 40, 110, 122, 125].map((ms) => stateAt(flush, sealedAtMs + ms))).toEqual([
    undefined,
    'open',
    'store',
    'wait',
    'commit',
    'committed',
  ])
})

test('a phase that is not over reaches to the moment', () => {
  const stored = { ...flush, waitMs: null, commitMs: null }
  expect(at(500, stored)).toEqual(['open -250..0', 'store 0..100', 'wait 100..500'])
  expect(stateAt(stored, sealedAtMs + 500)).toBe('wait')
})

test('a flush that failed ends with its last phase that was over', () => {
  const failed = { ...flush, storeMs: null, waitMs: null, commitMs: null, failure: 'the object store failed' }
  expect(at(500, failed)).toEqual(['open -250..0'])
  expect([-100, 500].map((ms) => stateAt(failed, sealedAtMs + ms))).toEqual(['open', 'failed'])
})

test('the range of flushes is from the first opening to the last end', () => {
  const later = { ...flush, sealedAt: new Date(sealedAtMs + 1000).toISOString(), commitMs: null }
  expect(rangeOf([later, flush])).toEqual({ fromMs: sealedAtMs - 250, toMs: sealedAtMs + 1120 })
})
