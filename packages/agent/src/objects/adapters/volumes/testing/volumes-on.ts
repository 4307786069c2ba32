// Volumes on a simulated disk, with the notices that a person would see.
import { crc32c } from '@local-kafka-service/protocol'
import type { Clock } from '../../../../time/clock.ts'
import { MemoryObjects } from '../../memory.ts'
import type { SimulatedDisk } from '../simulated-disk.ts'
import { VolumeObjects, type VolumeOptions } from '../volume-objects.ts'

export function volumesOn(disk: SimulatedDisk, options: Partial<VolumeOptions> = {}): VolumeObjects & { readonly notices: string[] } {
  const notices: string[] = []
  const store = new VolumeObjects({
    files: disk.files,
    plain: new MemoryObjects(),
    durability: 'os',
    crc32c,
    clock: atOnce,
    nonce: () => Uint8Array.from({ length: 8 }, (_, index) => index + 1),
    onNotice: (message) => void notices.push(message),
    ...options,
  })
  return Object.assign(store, { notices })
}

/** A clock whose timers fire in the next turn of the promises. */
const atOnce: Pick<Clock, 'after'> = {
  after(_delayMs, callback) {
    let cancelled = false
    queueMicrotask(() => {
      if (!cancelled) callback()
    })
    return { cancel: () => void (cancelled = true) }
  },
}
