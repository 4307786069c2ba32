// A property of volumes on a disk that crashes, loses power, fills up, fails, and cannot read some sectors, in any order.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { failure, patterned } from '../../object-store.contract.ts'
import { ObjectStoreError } from '../../object-store.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { volumesOn } from './testing/volumes-on.ts'
import type { VolumeObjects } from './volume-objects.ts'

test('whatever happens to the disk, what was promised is there, what was removed is gone, and no wrong byte is served', {
  timeout: 300_000,
}, async () => {
  const fault = fc.option(fc.constantFrom('full' as const, 'io' as const), { freq: 8, nil: undefined })
  const size = fc.oneof({ weight: 9, arbitrary: fc.nat(6000) }, { weight: 1, arbitrary: fc.integer({ min: 262_000, max: 263_000 }) })
  const step = fc.oneof(
    { weight: 10, arbitrary: fc.record({ kind: fc.constant('put' as const), size, fault }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('put again' as const), which: fc.nat(), fault }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.nat() }) },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constantFrom('close' as const, 'kill' as const, 'write back' as const, 'rewrite' as const) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose power' as const), seed: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('spoil' as const), volume: fc.nat(), at: fc.nat() }) },
  )
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('os' as const, 'strict' as const),
      fc.array(step, { maxLength: 80, size: 'max' }),
      async (durability, steps) => {
        const disk = new SimulatedDisk()
        const open = (): VolumeObjects => volumesOn(disk, { durability, volumeBytes: 12_000 })
        let store = open()
        /** `promised`: it must be there. `safe`: also after a loss of power. */
        const objects = new Map<string, { readonly body: Uint8Array; promised: boolean; safe: boolean }>()
        let puts = 0
        for (const one of steps) {
          switch (one.kind) {
            case 'put': {
              puts += 1
              const body = patterned(one.size, puts)
              if (one.fault !== undefined) disk.fault = () => one.fault
              const promised = await store.put(`k/${puts}`, [body.subarray(0, 7), body.subarray(7)]).then(
                () => true,
                () => false,
              )
              disk.fault = () => undefined
              objects.set(`k/${puts}`, { body, promised, safe: promised && durability === 'strict' })
              break
            }
            case 'put again': {
              const [key, object] = [...objects][one.which % objects.size] ?? []
              if (key === undefined || object === undefined) break
              if (one.fault !== undefined) disk.fault = () => one.fault
              const promised = await store.put(key, [object.body]).then(
                () => true,
                () => false,
              )
              disk.fault = () => undefined
              object.promised ||= promised
              object.safe ||= promised && durability === 'strict'
              break
            }
            case 'remove': {
              const key = [...objects.keys()][one.which % objects.size]
              if (key === undefined) break
              await store.remove([key])
              expect(await failure(store.read(key))).toMatchObject({ kind: 'missing' })
              objects.delete(key)
              break
            }
            case 'write back':
              disk.writeBack()
              for (const object of objects.values()) object.safe = object.promised
              break
            case 'lose power': {
              let state = one.seed
              disk.losePower(() => (state = (state * 1_103_515_245 + 12_345) & 0x7fffffff) % 65_536 > 20_000)
              for (const object of objects.values()) object.promised = object.safe
              store = open()
              break
            }
            case 'spoil': {
              // An I/O error (EIO) of one sector, until it is written or the disk is healed.
              const names = disk.files.names()
              const name = names[one.volume % names.length]
              const sizeBytes = name === undefined ? 0 : disk.content(name).length
              if (name !== undefined && sizeBytes > 0) disk.spoil(name, one.at % sizeBytes)
              break
            }
            case 'rewrite':
              // Time for the rewriting of volumes, all of which happens in this turn of the event loop.
              await new Promise(setImmediate)
              break
            case 'close':
              await store.close()
              store = open()
              break
            case 'kill':
              disk.crash()
              store = open()
          }
        }
        // While the disk cannot read a place, an object is served as it was put, or not at all.
        for (const [key, { body }] of objects) {
          const read = await store.read(key).catch((error: unknown) => error)
          if (read instanceof Uint8Array) expect(Buffer.compare(read, body), key).toBe(0)
          else expect(read, key).toMatchObject({ name: 'ObjectStoreError', kind: expect.stringMatching(/^(corrupt|missing)$/) })
        }
        // What it can read again is there: nothing was cut, overwritten or removed because of it.
        disk.heal()
        await store.close()
        store = open()
        for (const [key, { body, promised }] of objects) {
          const read = await store.read(key).catch((error: unknown) => error)
          if (read instanceof Uint8Array) expect(Buffer.compare(read, body), key).toBe(0)
          else if (promised) throw read
          else expect(read).toBeInstanceOf(ObjectStoreError)
        }
        await store.close()
      },
    ),
    { numRuns: 100 },
  )
})
