// Windows of producers as rows: what is read is what was written, whichever window was read before.
import { expect, test } from 'vitest'
import { windowOf, windowRow } from './partition-rows.ts'

const aWindow = (baseOffset: number) => ({ epoch: 0, batches: [{ baseSequence: 0, lastSequence: 4, baseOffset, timestamp: 7 }] })

test('a window that another connection has changed since is read as it is now', () => {
  const before = windowRow(1, 5, aWindow(10))
  const after = { ...before, batches: windowRow(1, 5, aWindow(20)).batches }
  for (const row of [before, after, after, before]) expect(windowOf(row).batches).toEqual(JSON.parse(row.batches))
})

test('windows of different producers and logs never take the place of one another', () => {
  const rows = Array.from({ length: 3_000 }, (_, at) => windowRow(at % 7, Math.floor(at / 7), aWindow(at)))
  for (const [at, row] of rows.entries()) expect(windowOf(row)).toEqual(aWindow(at))
})
