// Forks of object stores: neither side sees the other's changes, and an object that a fork may need outlasts its removal and the parent.
import { expect, test } from 'vitest'
import { MemoryObjects } from '../adapters/memory.ts'
import { bytes, failure, listed, text } from '../object-store.contract.ts'
import type { ForkableObjects } from '../object-store.ts'
import { SharedObjects } from './shared.ts'

/** A store with one object, and the store below it if there is one. */
async function aParent(
  kind: 'memory' | 'shared',
): Promise<{ readonly parent: ForkableObjects; readonly inner: MemoryObjects; readonly freed: () => number }> {
  const inner = new MemoryObjects()
  await inner.put('a/1', [bytes('one')])
  let freed = 0
  const parent = kind === 'memory' ? inner : new SharedObjects(inner, () => (freed += 1))
  return { parent, inner, freed: () => freed }
}

for (const kind of ['memory', 'shared'] as const) {
  test(`${kind}: neither side sees the other's puts and removals`, async () => {
    const { parent } = await aParent(kind)
    const fork = parent.fork()
    await fork.put('a/2', [bytes('of the fork')])
    await fork.remove(['a/1'])
    expect(text(await parent.read('a/1'))).toBe('one')
    expect(await failure(parent.read('a/2'))).toMatchObject({ kind: 'missing' })
    expect(await failure(fork.read('a/1'))).toMatchObject({ kind: 'missing' })
    expect(await listed(fork, '')).toEqual([['a/2', 11]])
    expect(await listed(parent, '')).toEqual([['a/1', 3]])
  })

  test(`${kind}: objects that the parent removes stay for the forks, and for their forks`, async () => {
    const { parent } = await aParent(kind)
    const fork = parent.fork()
    expect(await parent.remove(['a/1'])).toEqual([{ key: 'a/1' }])
    expect(await failure(parent.read('a/1'))).toMatchObject({ kind: 'missing' })
    expect(await listed(parent, '')).toEqual([])
    const second = fork.fork()
    await fork.close()
    expect(text(await second.read('a/1'))).toBe('one')
    expect(await listed(second, 'a/')).toEqual([['a/1', 3]])
  })

  test(`${kind}: a fork keeps working after its parent has ended`, async () => {
    const { parent } = await aParent(kind)
    const fork = parent.fork()
    await parent.close()
    expect(text(await fork.read('a/1'))).toBe('one')
  })
}

test('a removed object is deleted with the last fork that may need it', async () => {
  const { parent, inner } = await aParent('shared')
  const [before, also] = [parent.fork(), parent.fork()]
  await parent.remove(['a/1'])
  const after = parent.fork()
  await before.close()
  expect(inner.has('a/1')).toBe(true)
  await also.close()
  expect(inner.has('a/1')).toBe(false)
  await after.close()
})

test('the store is closed, and free, after its owner and all forks have closed', async () => {
  const { parent, freed } = await aParent('shared')
  const fork = parent.fork()
  const second = fork.fork()
  await fork.close()
  await parent.close()
  expect(freed()).toBe(0)
  await second.close()
  await second.close()
  expect(freed()).toBe(1)
})

test('a fork creates only keys that are absent below it, too', async () => {
  const { parent } = await aParent('shared')
  const fork = parent.fork()
  expect(await fork.putIfAbsent?.('a/1', [bytes('mine')])).toBe('exists')
  await fork.remove(['a/1'])
  expect(await fork.putIfAbsent?.('a/1', [bytes('mine')])).toBe('created')
  expect(text(await fork.read('a/1'))).toBe('mine')
  expect(text(await parent.read('a/1'))).toBe('one')
})
