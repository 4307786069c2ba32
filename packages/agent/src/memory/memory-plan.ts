// How the memory of `memory.bytes` is divided: the cache and the budgets that clients share.
import { defaultBudgetBytes, defaultLimits, fixedLimits, type Limits, limitsWithin } from '../limits.ts'
import { largestSlabBytes } from './slab-pool.ts'

export interface MemoryPlan {
  readonly limits: Limits
  readonly cacheBytes: number
}

export interface MemoryWishes {
  /** `memory.bytes`. Undefined: the default budgets and the whole cache, as far as the machine has twice as much. */
  readonly memoryBytes: number | undefined
  /** `cache.bytes`. */
  readonly cacheBytes: number
  /** The memory of the machine, or of the container. Undefined: enough. */
  readonly machineBytes: number | undefined
}

/** The smallest value of `memory.bytes`. */
export const leastMemoryBytes = 64 * 1024 * 1024

/** The cache gets what it asks for, but at most half, and the budgets get the rest. */
export function memoryPlan({ memoryBytes, cacheBytes: asked, machineBytes = Number.POSITIVE_INFINITY }: MemoryWishes): MemoryPlan {
  const ofMachine = Math.max(leastMemoryBytes, Math.floor(machineBytes / 2))
  if (memoryBytes === undefined && ofMachine >= defaultBudgetBytes + asked)
    return { limits: withCache(defaultLimits, asked), cacheBytes: asked }
  const bytes = memoryBytes ?? ofMachine
  const cacheBytes = Math.min(asked, Math.floor(bytes / 2))
  return { limits: withCache(limitsWithin(bytes - cacheBytes), cacheBytes), cacheBytes }
}

/** Merged objects, and what is read of them at once, are parts of the cache. With a small cache, what is read at once fits into a slab. */
function withCache(limits: Limits, cacheBytes: number): Limits {
  const { mergeObjectBytes, mergeSegmentBytes, readAheadMaxBytes, readAheadRequestBytes } = defaultLimits
  const { mergeSegmentLeastBytes, readAheadLeastBytes, touchingReadBytes } = fixedLimits
  const fitsIntoSlab = Math.floor(cacheBytes / 8) <= largestSlabBytes
  return {
    ...limits,
    mergeObjectBytes: Math.min(mergeObjectBytes, Math.max(readAheadLeastBytes, Math.floor(cacheBytes / 2))),
    mergeSegmentBytes: Math.min(mergeSegmentBytes, Math.max(mergeSegmentLeastBytes, Math.floor(cacheBytes / 64))),
    readAheadMaxBytes: Math.min(readAheadMaxBytes, Math.max(readAheadLeastBytes, Math.floor(cacheBytes / 4))),
    readAheadRequestBytes: fitsIntoSlab ? touchingReadBytes : Math.min(readAheadRequestBytes, Math.floor((cacheBytes * 3) / 16)),
  }
}
