// The objects of a snapshot file: every range of every size is read back, and writes are rejected.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bytes, failure, listed, patterned, text } from '../object-store.contract.ts'
import { MemoryObjects } from './memory.ts'
import { addSnapshotObjects, SnapshotObjects } from './snapshot-objects.ts'

const piece = 512 * 1024
let folder: string
let store: SnapshotObjects
const large = patterned(piece * 2 + 7)
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lks-snapshot-'))
  const from = new MemoryObjects([
    ['c/small', bytes('0123456789')],
    ['c/empty', new Uint8Array(0)],
    ['c/exact', patterned(piece)],
    ['d/large', large],
    ['d/left-out', bytes('x')],
  ])
  const path = join(folder, 'file')
  await addSnapshotObjects(path, ['c/small', 'c/empty', 'c/exact', 'd/large'], from)
  store = new SnapshotObjects(path)
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

test('whole objects and ranges across the borders of pieces', async () => {
  expect(text(await store.read('c/small'))).toBe('0123456789')
  expect(await store.read('c/empty')).toHaveLength(0)
  expect(Buffer.compare(await store.read('d/large'), large)).toBe(0)
  for (const [start, length] of [
    [0, 1],
    [piece - 1, 2],
    [piece, piece],
    [piece - 3, piece + 6],
    [piece * 2, 7],
    [1, large.length - 1],
  ] as const)
    expect(Buffer.compare(await store.read('d/large', { start, length }), large.subarray(start, start + length)), `${start}`).toBe(0)
  expect(await store.read('d/large', { start: piece * 2, length: piece, untilEnd: true })).toHaveLength(7)
})

test('a range beyond the object is corrupt, an absent object is missing', async () => {
  expect(await failure(store.read('c/small', { start: 8, length: 3 }))).toMatchObject({ kind: 'corrupt' })
  expect(await failure(store.read('c/small', { start: 10, length: 3, untilEnd: true }))).toMatchObject({ kind: 'corrupt' })
  expect(await failure(store.read('d/left-out'))).toMatchObject({ kind: 'missing' })
  expect(await failure(store.read('../etc'))).toMatchObject({ kind: 'invalid' })
  expect(await failure(store.read('c/small', undefined, AbortSignal.abort()))).toMatchObject({ kind: 'aborted' })
})

test('lists have each object once, with its size', async () => {
  expect(await listed(store, '')).toEqual([
    ['c/empty', 0],
    ['c/exact', piece],
    ['c/small', 10],
    ['d/large', large.length],
  ])
  expect(await listed(store, 'c/e', 'c/empty')).toEqual([['c/exact', piece]])
})

test('writes are denied', async () => {
  expect(await failure(store.put('c/new'))).toMatchObject({ kind: 'denied', applied: 'no' })
  expect(await failure(store.remove())).toMatchObject({ kind: 'denied', applied: 'no' })
})
