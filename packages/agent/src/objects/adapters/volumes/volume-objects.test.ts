// Volumes on a disk that crashes, loses power, fills up and fails: what was promised is there, and wrong bytes are never taken for an object.
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { bytes, failure, listed, patterned, text } from '../../object-store.contract.ts'
import { ObjectStoreError } from '../../object-store.ts'
import { MemoryObjects } from '../memory.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { volumesOn } from './testing/volumes-on.ts'

test('a volume has the bytes that docs/volume-format.md says, and such a volume is read', async () => {
  const golden = goldenBytes(await readFile(new URL('testing/golden/volume-1.hex', import.meta.url), 'utf8'))
  const disk = new SimulatedDisk()
  const store = volumesOn(disk)
  await store.put('a/1', [bytes('one')])
  await store.put('a/2', [])
  await store.put('b', [Uint8Array.from({ length: 16 }, (_, index) => index)])
  await store.close()
  const again = volumesOn(disk)
  await again.remove(['a/2'])
  await again.close()
  expect(Buffer.from(disk.content('00000001.volume')).toString('hex')).toBe(golden.toString('hex'))
  disk.change('00000001.volume', golden)
  expect(await listed(volumesOn(disk), '')).toEqual([
    ['a/1', 3],
    ['b', 16],
  ])
})

test('objects are appended to one volume, and a store that was closed is read by its index', async () => {
  const disk = new SimulatedDisk()
  const store = volumesOn(disk)
  for (let index = 0; index < 50; index += 1) await store.put(`a/${index}`, [bytes(`body ${index}`)])
  await store.remove(['a/7', 'a/8'])
  await store.close()
  expect(disk.files.names()).toEqual(['00000001.volume'])
  expect(disk.openFiles).toBe(0)

  // The frames are not read: without their marks a start that needed them would find nothing.
  const volume = Buffer.from(disk.content('00000001.volume'))
  for (let at = volume.indexOf('LKSF'); at >= 0; at = volume.indexOf('LKSF', at)) volume[at] = 0
  disk.change('00000001.volume', volume)
  const again = volumesOn(disk)
  expect(await listed(again, '')).toHaveLength(48)
  expect(text(await again.read('a/9'))).toBe('body 9')
  expect(await failure(again.read('a/7'))).toMatchObject({ kind: 'missing' })
  expect(again.notices).toEqual([])
})

test('an object that is removed from a sealed volume stays removed', async () => {
  const disk = new SimulatedDisk()
  const store = volumesOn(disk)
  await store.put('kept', [patterned(3000)])
  await store.put('removed', [patterned(10)])
  await store.close()
  const again = volumesOn(disk)
  await again.remove(['removed'])
  await again.close()
  expect(await listed(volumesOn(disk), '')).toEqual([['kept', 3000]])
})

test('a volume that was not sealed is read frame by frame, once, and sealed then', async () => {
  const disk = new SimulatedDisk()
  const store = volumesOn(disk)
  await store.put('a', [bytes('one')])
  await store.put('b', [bytes('two')])
  await store.remove(['a'])
  const before = disk.content('00000001.volume').length
  disk.crash()
  const again = volumesOn(disk)
  expect(await listed(again, '')).toEqual([['b', 3]])
  expect(disk.content('00000001.volume').length).toBeGreaterThan(before)
  expect(again.notices).toEqual([])
})

test('a read puts the bytes into the memory of its caller, and reports when it has compared the whole object', async () => {
  const store = volumesOn(new SimulatedDisk())
  await store.put('k', [patterned(5000)])
  const into = new Uint8Array(8000)
  const verified: string[] = []
  const part = await store.read('k', { start: 10, length: 100, into, onVerified: () => verified.push('part') })
  expect([part.buffer === into.buffer, part.byteOffset, Buffer.compare(part, patterned(5000).subarray(10, 110))]).toEqual([true, 0, 0])
  const whole = await store.read('k', { start: 0, length: 8000, untilEnd: true, into, onVerified: () => verified.push('whole') })
  expect([whole.buffer === into.buffer, Buffer.compare(whole, patterned(5000))]).toEqual([true, 0])
  expect(verified).toEqual(['whole'])
})

test('the rest of an object whose end is missing can be read, and the object is never taken for a whole one', async () => {
  const disk = new SimulatedDisk()
  const store = volumesOn(disk)
  await store.put('whole', [patterned(5000)])
  const end = disk.content('00000001.volume').length
  await store.put('torn', [patterned(5000)])
  const cut = disk.content('00000001.volume').slice(0, end + 3000)
  const there = 3000 - (disk.content('00000001.volume').length - end - 5000)
  disk.change('00000001.volume', cut)
  const check = async (of: typeof store): Promise<void> => {
    expect(Buffer.compare(await of.read('whole'), patterned(5000))).toBe(0)
    expect(await failure(of.read('torn'))).toMatchObject({ kind: 'corrupt' })
    expect(Buffer.compare(await of.read('torn', { start: 10, length: 1000 }), patterned(5000).subarray(10, 1010))).toBe(0)
    const rest = await of.read('torn', { start: 10, length: 4000, untilEnd: true })
    expect(Buffer.compare(rest.subarray(0, there - 10), patterned(5000).subarray(10, there))).toBe(0)
  }
  // In the process that wrote it, after a start, and after a start that has the index of the one before.
  await check(store)
  const again = volumesOn(disk)
  expect(again.notices).toEqual([expect.stringContaining('1 of the objects are not whole')])
  await check(again)
  const third = volumesOn(disk)
  expect(third.notices).toEqual([])
  await check(third)
  await third.put('torn', [patterned(5000)])
  expect(Buffer.compare(await third.read('torn'), patterned(5000))).toBe(0)
})

test('a frame after a damaged one is found, and bytes of a record that look like a frame are not', async () => {
  const disk = new SimulatedDisk()
  const other = new SimulatedDisk()
  await volumesOn(other, { nonce: () => new Uint8Array(8).fill(9) }).put('forged', [bytes('not an object')])
  const store = volumesOn(disk)
  await store.put('damaged', [patterned(2000), other.content('00000001.volume'), bytes('LKSFLKSF')])
  await store.put('next', [bytes('found')])
  const volume = disk.content('00000001.volume').slice()
  volume[200] = (volume[200] ?? 0) ^ 1
  disk.change('00000001.volume', volume)
  const again = volumesOn(disk)
  expect((await listed(again, '')).map(([key]) => key)).toEqual(['damaged', 'next'])
  expect(text(await again.read('next'))).toBe('found')
  expect(await failure(again.read('damaged'))).toMatchObject({ kind: 'corrupt' })
  expect(again.notices).toHaveLength(1)
})

test('a changed byte in the header of a frame loses that object, and no other one', async () => {
  const disk = new SimulatedDisk()
  const store = volumesOn(disk)
  for (const key of ['a', 'b', 'c']) await store.put(key, [bytes(key)])
  const volume = Buffer.from(disk.content('00000001.volume'))
  const second = volume.indexOf('LKSF', volume.indexOf('LKSF') + 1)
  volume[second + 20] = (volume[second + 20] ?? 0) ^ 1
  disk.change('00000001.volume', volume)
  const again = volumesOn(disk)
  expect((await listed(again, '')).map(([key]) => key)).toEqual(['a', 'c'])
  expect(again.notices).toEqual([expect.stringContaining('bytes that belong to no object')])
})

test.each(['with an index', 'without an index'])('a changed byte in the header of a volume %s loses nothing', async (kind) => {
  for (const at of [0, 7, 13, 16, 23]) {
    const disk = new SimulatedDisk()
    const store = volumesOn(disk)
    for (const key of ['a', 'b', 'c']) await store.put(key, [bytes(key)])
    if (kind === 'with an index') await store.close()
    const volume = disk.content('00000001.volume').slice()
    volume[at] = (volume[at] ?? 0) ^ 0x40
    disk.change('00000001.volume', volume)
    for (let start = 0; start < 2; start += 1) {
      const again = volumesOn(disk)
      expect((await listed(again, '')).map(([key]) => key)).toEqual(['a', 'b', 'c'])
      expect(text(await again.read('b'))).toBe('b')
    }
  }
})

test('bytes that changed in a sealed volume are corrupt when the object is read', async () => {
  const disk = new SimulatedDisk()
  const store = volumesOn(disk)
  await store.put('k', [patterned(1000)])
  await store.close()
  const volume = disk.content('00000001.volume').slice()
  volume[500] = (volume[500] ?? 0) ^ 1
  disk.change('00000001.volume', volume)
  expect(await failure(volumesOn(disk).read('k'))).toMatchObject({ kind: 'corrupt' })
  disk.change('00000001.volume', volume.slice(0, 400))
  expect(await failure(volumesOn(disk).read('k'))).toMatchObject({ kind: 'corrupt' })
})

test('a damaged index costs a walk over the frames, and no object', async () => {
  const disk = new SimulatedDisk()
  const store = volumesOn(disk)
  for (let index = 0; index < 10; index += 1) await store.put(`k/${index}`, [patterned(100, index)])
  await store.close()
  const volume = disk.content('00000001.volume').slice()
  volume[volume.length - 60] = (volume[volume.length - 60] ?? 0) ^ 1
  disk.change('00000001.volume', volume)
  expect(await listed(volumesOn(disk), '')).toHaveLength(10)
})

test('a volume of a newer format is not touched', async () => {
  const disk = new SimulatedDisk()
  await volumesOn(disk).put('k', [bytes('x')])
  const volume = Buffer.from(disk.content('00000001.volume'))
  volume.writeUInt16BE(9, 10)
  disk.change('00000001.volume', volume)
  expect(() => volumesOn(disk)).toThrow(ObjectStoreError)
  expect(() => volumesOn(disk)).toThrow('format 9')
  expect(Buffer.compare(disk.content('00000001.volume'), volume)).toBe(0)
})

test('a volume ends at its size, and the next one takes over', async () => {
  const disk = new SimulatedDisk()
  const store = volumesOn(disk, { volumeBytes: 10_000 })
  for (let index = 0; index < 10; index += 1) await store.put(`k/${index}`, [patterned(4000, index)])
  expect(disk.files.names()).toHaveLength(4)
  for (let index = 0; index < 10; index += 1) expect(Buffer.compare(await store.read(`k/${index}`), patterned(4000, index))).toBe(0)
  await store.close()
  expect(disk.openFiles).toBe(0)
})

test('a store that lives on after its file was removed from outside begins another one', async () => {
  const disk = new SimulatedDisk()
  const store = volumesOn(disk)
  await store.put('lost', [bytes('x')])
  disk.remove('00000001.volume')
  await store.put('kept', [bytes('y')])
  expect(await listed(volumesOn(disk), '')).toEqual([['kept', 1]])
})

test('a late put of a store that was killed overwrites nothing of its successor', async () => {
  const disk = new SimulatedDisk()
  const killed = volumesOn(disk)
  await killed.put('a', [bytes('first')])
  let release = (): void => {}
  disk.later = () => new Promise<void>((resolve) => (release = resolve))
  const late = killed.put('late', [patterned(300_000)])
  const successor = volumesOn(disk)
  await successor.put('b', [bytes('second')])
  release()
  disk.later = async () => {}
  await late
  expect(text(await successor.read('a'))).toBe('first')
  expect(text(await successor.read('b'))).toBe('second')
  const third = volumesOn(disk)
  expect(text(await third.read('a'))).toBe('first')
  expect(text(await third.read('b'))).toBe('second')
})

test('puts on a disk that is full from the beginning leave no files', async () => {
  const disk = new SimulatedDisk()
  const store = volumesOn(disk)
  disk.fault = (call) => (call === 'write' ? 'full' : undefined)
  for (let time = 0; time < 3; time += 1) expect(await failure(store.put('k', [bytes('x')]))).toMatchObject({ kind: 'full', applied: 'no' })
  expect(disk.files.names()).toEqual([])
  expect(disk.openFiles).toBe(0)
  disk.fault = () => undefined
  await store.put('k', [bytes('x')])
  expect(text(await store.read('k'))).toBe('x')
})

test('objects of an earlier version, each a file of its own, are read, listed once and removed', async () => {
  const plain = new MemoryObjects()
  await plain.put('old/1', [bytes('one')])
  await plain.put('old/2', [bytes('torn by a crash')])
  const store = volumesOn(new SimulatedDisk(), { plain })
  expect(text(await store.read('old/1'))).toBe('one')
  await store.put('old/2', [bytes('put again')])
  await store.put('new/1', [bytes('two')])
  expect(await listed(store, '')).toEqual([
    ['old/2', 9],
    ['new/1', 3],
    ['old/1', 3],
  ])
  expect(await store.putIfAbsent('new/1', [bytes('no')])).toBe('exists')
  expect(await store.remove(['old/1', 'old/2'])).toEqual([{ key: 'old/1' }, { key: 'old/2' }])
  expect(await listed(store, '')).toEqual([['new/1', 3]])
  expect(await listed(plain, '')).toEqual([])
})

test('a store that is closed takes no more puts and keeps no file open, also after a put that ends late', async () => {
  const disk = new SimulatedDisk()
  const store = volumesOn(disk)
  let release = (): void => {}
  disk.later = () => new Promise<void>((resolve) => (release = resolve))
  const late = store.put('late', [patterned(300_000)])
  const closing = store.close()
  expect(await failure(store.put('k', [bytes('x')]))).toMatchObject({ kind: 'unavailable', applied: 'no' })
  release()
  await late
  await closing
  expect(disk.openFiles).toBe(0)
  expect(await listed(volumesOn(disk), '')).toEqual([['late', 300_000]])
})

describe('freeing space', () => {
  test('a sealed volume without objects is removed, and one that is mostly removed objects is rewritten', async () => {
    const disk = new SimulatedDisk()
    const store = volumesOn(disk, { volumeBytes: 10_000 })
    for (let index = 0; index < 9; index += 1) await store.put(`k/${index}`, [patterned(4000, index)])
    expect(disk.files.names()).toEqual(['00000001.volume', '00000002.volume', '00000003.volume'])
    await store.remove(['k/0', 'k/1', 'k/2'])
    await expect.poll(() => disk.files.names()).toEqual(['00000002.volume', '00000003.volume', '00000004.volume'].slice(0, 2))
    await store.remove(['k/3', 'k/5'])
    await expect.poll(() => disk.files.names()).not.toContain('00000002.volume')
    expect(Buffer.compare(await store.read('k/4'), patterned(4000, 4))).toBe(0)
    await store.close()
    const again = volumesOn(disk, { volumeBytes: 10_000 })
    expect((await listed(again, '')).map(([key]) => key).toSorted()).toEqual(['k/4', 'k/6', 'k/7', 'k/8'])
  })

  test('the small volumes of many starts become one', async () => {
    const disk = new SimulatedDisk()
    for (let start = 0; start < 40; start += 1) {
      const store = volumesOn(disk)
      await store.put(`k/${start}`, [patterned(100, start)])
      await store.close()
    }
    const store = volumesOn(disk)
    await expect.poll(() => disk.files.names().length).toBeLessThan(20)
    expect(await listed(store, '')).toHaveLength(40)
  })

  test('a damaged object keeps its volume, loudly', async () => {
    const disk = new SimulatedDisk()
    const store = volumesOn(disk)
    await store.put('damaged', [patterned(1000)])
    await store.put('removed', [patterned(3000)])
    await store.close()
    const volume = disk.content('00000001.volume').slice()
    volume[500] = (volume[500] ?? 0) ^ 1
    disk.change('00000001.volume', volume)
    const again = volumesOn(disk)
    await again.remove(['removed'])
    await expect.poll(() => again.notices).toEqual([expect.stringContaining('damaged')])
    expect(disk.files.names()).toContain('00000001.volume')
  })
})

describe('strict', () => {
  test('puts that wait together share one sync', async () => {
    const disk = new SimulatedDisk()
    const store = volumesOn(disk, { durability: 'strict' })
    await store.put('first', [bytes('x')])
    const before = disk.syncs
    await Promise.all(Array.from({ length: 50 }, (_, index) => store.put(`k/${index}`, [bytes('x')])))
    expect(disk.syncs - before).toBeLessThanOrEqual(2)
  })

  test('after a failed sync the put is rejected, its object is gone, and the next put uses another volume', async () => {
    const disk = new SimulatedDisk()
    const store = volumesOn(disk, { durability: 'strict' })
    await store.put('kept', [bytes('x')])
    disk.fault = (call) => (call === 'sync' ? 'io' : undefined)
    expect(await failure(store.put('k', [bytes('y')]))).toMatchObject({ kind: 'corrupt', applied: 'unknown' })
    expect(await failure(store.read('k'))).toMatchObject({ kind: 'missing' })
    disk.fault = () => undefined
    await store.put('k', [bytes('y')])
    expect(disk.files.names()).toHaveLength(2)
    expect(text(await store.read('kept'))).toBe('x')
    expect(text(await store.read('k'))).toBe('y')
  })

  test('a put whose object came into the volume before a failed sync is rejected, although the next sync succeeds', async () => {
    const disk = new SimulatedDisk()
    const store = volumesOn(disk, { durability: 'strict' })
    await store.put('kept', [bytes('x')])
    const syncs = Promise.withResolvers<void>()
    disk.later = () => syncs.promise
    let failures = 1
    disk.fault = (call) => (call === 'sync' && failures-- > 0 ? 'io' : undefined)
    const first = failure(store.put('first', [bytes('x')]))
    await new Promise(setImmediate)
    const second = failure(store.put('second', [bytes('y')]))
    await new Promise(setImmediate)
    syncs.resolve()
    expect([await first, await second]).toMatchObject([{ kind: 'corrupt' }, { kind: 'corrupt' }])
    await store.put('second', [bytes('y')])
    expect(text(await store.read('second'))).toBe('y')
    disk.losePower(() => false)
    expect(text(await volumesOn(disk, { durability: 'strict' }).read('second'))).toBe('y')
  })
})

test('a put on a full disk is rejected, and takes place when there is space again', async () => {
  const disk = new SimulatedDisk()
  const store = volumesOn(disk)
  await store.put('before', [patterned(100)])
  disk.fault = (call) => (call === 'write' ? 'full' : undefined)
  expect(await failure(store.put('small', [patterned(1000)]))).toMatchObject({ kind: 'full', applied: 'unknown' })
  expect(await failure(store.put('large', [patterned(1_000_000)]))).toMatchObject({ kind: 'full', applied: 'unknown' })
  disk.fault = () => undefined
  await store.put('small', [patterned(1000)])
  await store.put('large', [patterned(1_000_000)])
  const again = volumesOn(disk)
  expect((await listed(again, '')).toSorted(([a], [b]) => (a < b ? -1 : 1))).toEqual([
    ['before', 100],
    ['large', 1_000_000],
    ['small', 1000],
  ])
  expect(Buffer.compare(await again.read('large'), patterned(1_000_000))).toBe(0)
})

function goldenBytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/#.*|\s/g, ''), 'hex')
}
