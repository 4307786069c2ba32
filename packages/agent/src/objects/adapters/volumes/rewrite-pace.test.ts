// The pace of rewriting: what happens to puts and to a store that is closed between two pieces of the work.
import { expect, test } from 'vitest'
import { fixedLimits } from '../../../limits.ts'
import { ManualClock } from '../../../time/testing/manual-clock.ts'
import { listed, patterned } from '../../object-store.contract.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { volumesOn } from './testing/volumes-on.ts'

test('rewriting has its own pace: between its pieces puts go on, and closing does not wait for it', async () => {
  const disk = new SimulatedDisk()
  const clock = new ManualClock()
  const began = clock.now()
  const store = volumesOn(disk, { volumeBytes: 4_000_000, clock })
  for (let index = 0; index < 17; index += 1) await store.put(`k/${index}`, [patterned(250_000, index)])
  expect(disk.files.names()).toEqual(['00000001.volume', '00000002.volume'])
  const copiedBytes = (): number => disk.content('00000002.volume').length - 250_000
  await store.remove(Array.from({ length: 10 }, (_, index) => `k/${index}`))
  await clock.advance(0)
  expect(clock.waiting).toBe(1)
  expect(copiedBytes()).toBeLessThan(2 * fixedLimits.rewriteBytesBetweenPauses)
  await store.put('meanwhile', [patterned(100)])
  expect(Buffer.compare(await store.read('meanwhile'), patterned(100))).toBe(0)
  while (disk.files.names().includes('00000001.volume')) await clock.advanceToNext()
  expect(clock.now() - began).toBeGreaterThanOrEqual(
    ((copiedBytes() - fixedLimits.rewriteBytesBetweenPauses) / fixedLimits.rewriteBytesPerSecond) * 1_000,
  )
  for (let index = 10; index < 17; index += 1) expect(Buffer.compare(await store.read(`k/${index}`), patterned(250_000, index))).toBe(0)

  // Another rewriting, which never gets the time that it needs.
  for (let index = 0; index < 16; index += 1) await store.put(`l/${index}`, [patterned(250_000, index)])
  await store.remove(Array.from({ length: 9 }, (_, index) => `l/${index}`))
  await store.remove(['k/11', 'k/12', 'k/13', 'k/14', 'k/15', 'k/16'])
  await clock.advance(0)
  expect(clock.waiting).toBe(1)
  await store.close()
  expect(disk.openFiles).toBe(0)
  const keys = (await listed(volumesOn(disk), '')).map(([key]) => key)
  expect(keys.toSorted()).toEqual(['k/10', ...[9, 10, 11, 12, 13, 14, 15].map((index) => `l/${index}`), 'meanwhile'].toSorted())
})

test('a store that is closed while it marks what it has copied keeps each object once', async () => {
  const disk = new SimulatedDisk()
  const clock = new ManualClock()
  const store = volumesOn(disk, { volumeBytes: 150_000, clock })
  const keys = Array.from({ length: 700 }, (_, index) => `k/${index}`)
  for (const [index, key] of keys.entries()) await store.put(key, [patterned(200, index)])
  await store.remove(keys.slice(0, 350))
  // The first pause is between marks, because few bytes were copied.
  await expect.poll(() => clock.waiting).toBe(1)
  await store.close()
  const again = volumesOn(disk)
  expect((await listed(again, '')).map(([key]) => key).toSorted()).toEqual(keys.slice(350).toSorted())
  for (const [index, key] of keys.entries()) if (index >= 350) expect(Buffer.compare(await again.read(key), patterned(200, index))).toBe(0)
})

test('a sync that fails while copies are being marked loses none of them', async () => {
  const disk = new SimulatedDisk()
  const clock = new ManualClock()
  const keys = Array.from({ length: 400 }, (_, index) => `k/${index}`)
  const before = volumesOn(disk, { volumeBytes: 100_000 })
  for (const [index, key] of keys.entries()) await before.put(key, [patterned(200, index)])
  await before.close()
  const store = volumesOn(disk, { volumeBytes: 1_000_000, durability: 'strict', clock })
  await store.remove(keys.slice(0, 250))
  await expect.poll(() => clock.waiting).toBe(1)
  // Another put into the same volume is slow: when it ends, the volume has failed, and is sealed with an index.
  const write = Promise.withResolvers<void>()
  let calls = 0
  disk.later = () => ((calls += 1) === 1 ? write.promise : Promise.resolve())
  const slow = store.put('slow', [patterned(300_000)])
  slow.catch(() => {})
  disk.fault = (call) => (call === 'sync' ? 'io' : undefined)
  await expect(store.put('fails', [patterned(100)])).rejects.toThrow('the disk did not accept the write')
  disk.fault = () => undefined
  write.resolve()
  await expect(slow, 'a later sync of the volume proves nothing').rejects.toThrow('the disk did not accept the write')
  while (clock.waiting > 0) await clock.advanceToNext()
  await store.close()
  disk.losePower(() => false)
  const again = volumesOn(disk)
  expect((await listed(again, 'k/')).map(([key]) => key).toSorted()).toEqual(keys.slice(250).toSorted())
})
