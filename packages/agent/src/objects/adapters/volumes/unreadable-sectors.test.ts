// Volumes on a disk that cannot read some of its sectors: what lies there is damaged, and nothing else is lost.
import { describe, expect, test } from 'vitest'
import { bytes, failure, listed, patterned, text } from '../../object-store.contract.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { volumesOn } from './testing/volumes-on.ts'

describe('a disk that cannot read a place', () => {
  const sector = 4_096
  const body = patterned(5 * sector)
  const withOne = async (): Promise<SimulatedDisk> => {
    const disk = new SimulatedDisk()
    const store = volumesOn(disk)
    await store.put('a', [body])
    await store.put('b', [bytes('other')])
    await store.close()
    return disk
  }
  const name = '00000001.volume'
  const middle = 2 * sector + 100

  test('damages the bytes in that sector, and no others: the whole object is corrupt, and the rest of it can be read', async () => {
    const disk = await withOne()
    disk.spoil(name, middle)
    const store = volumesOn(disk)
    expect(await failure(store.read('a'))).toMatchObject({ kind: 'corrupt', applied: 'no' })
    const read = await store.read('a', { start: 1, length: body.length - 1 })
    const wrong = [...read].flatMap((byte, index) => (byte === body[index + 1] ? [] : [index]))
    expect(wrong.length).toBeGreaterThan(sector * 0.9)
    expect((wrong.at(-1) ?? 0) - (wrong[0] ?? 0)).toBeLessThan(sector)
    expect(wrong.every((index) => read[index] === 0)).toBe(true)
    expect(text(await store.read('b'))).toBe('other')
    await store.read('a', { start: 0, length: body.length - 1 })
    expect(store.notices).toEqual([expect.stringContaining(`the disk cannot read ${sector} bytes of the object a in the volume ${name}`)])
    disk.heal()
    expect(Buffer.compare(await store.read('a'), body)).toBe(0)
  })

  test('is an outage if its folder has vanished, too: nothing is damaged, and the object is there when the disk is back', async () => {
    const disk = await withOne()
    const store = volumesOn(disk)
    disk.isAway = true
    expect(await failure(store.read('a'))).toMatchObject({ kind: 'unavailable', applied: 'no' })
    disk.isAway = false
    expect(Buffer.compare(await store.read('a'), body)).toBe(0)
    expect(store.notices).toEqual([])
  })

  test('at the start loses nothing that it reads later: the volume is left as it is', async () => {
    const disk = new SimulatedDisk()
    const store = volumesOn(disk)
    for (let index = 0; index < 5; index += 1) await store.put(`a/${index}`, [patterned(sector, index)])
    disk.crash()
    const before = Buffer.from(disk.content(name))
    // The header of the last frame, of which nothing else in the file says that it is there.
    disk.spoil(name, before.lastIndexOf('LKSF'))
    const again = volumesOn(disk)
    expect((await listed(again, '')).length).toBeLessThan(5)
    expect(again.notices).toContainEqual(expect.stringContaining(`the disk cannot read parts of the volume ${name}`))
    await again.close()
    disk.heal()
    expect(Buffer.compare(disk.content(name), before)).toBe(0)
    expect(await listed(volumesOn(disk), '')).toHaveLength(5)
  })
})
