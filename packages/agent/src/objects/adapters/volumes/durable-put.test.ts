// A put whose object must be durable, on a disk that loses power, in the mode that leaves the others to the operating system.
import { expect, test } from 'vitest'
import { SimulatedDisk } from './simulated-disk.ts'
import { volumesOn } from './testing/volumes-on.ts'

test('an object that must be durable survives a loss of power under os, with all that was put before it', async () => {
  const disk = new SimulatedDisk()
  const store = volumesOn(disk, { durability: 'os' })
  await store.put('k/1', [Buffer.from('one')])
  await store.put('k/2', Object.assign([Buffer.from('two')], { mustBeDurable: true as const }))
  await store.put('k/3', [Buffer.from('three')])
  disk.losePower(() => false)
  const after = volumesOn(disk, { durability: 'os' })
  expect(Buffer.from(await after.read('k/2')).toString()).toBe('two')
  expect(Buffer.from(await after.read('k/1')).toString()).toBe('one')
  await expect(after.read('k/3')).rejects.toMatchObject({ kind: 'missing' })
})
