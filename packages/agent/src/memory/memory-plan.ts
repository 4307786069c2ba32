// How the memory of `memory.bytes` is divided: the cache and the budgets that clients share.
import { defaultBudgetBytes, defaultLimits, type Limits, limitsWithin } from '../limits.ts'

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

/** A merged object is at most half as large as the cache, but as large as that of a busy producer's flush. */
function withCache(limits: Limits, cacheBytes: number): Limits {
  const mergeObjectBytes = Math.min(defaultLimits.mergeObjectBytes, Math.max(leastMergeObjectBytes, Math.floor(cacheBytes / 2)))
  return { ...limits, mergeObjectBytes }
}

const leastMergeObjectBytes = 8 * 1024 * 1024
