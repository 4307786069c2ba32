// A pool of slabs that overwrites released memory, so that a reader of it sees wrong bytes.
import { SlabPool } from '../slab-pool.ts'

export function aPool(): SlabPool {
  return new SlabPool({ maxFreeBytes: 16 * 1024 * 1024, fillsReleased: true })
}
