// Bounds how far V8's heap grows in a process that only runs a server: V8 trades memory and pauses for speed, and knows nothing of `memory.bytes` or of clients that wait.
import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { fixedLimits } from '@local-kafka-service/agent'

/** For the whole process and all of its threads, so it is not for a program that embeds a server. V8 reads both flags whenever it decides how far to grow. */
export function boundHeap(): void {
  setFlagsFromString(`--heap-growing-percent=${fixedLimits.heapGrowthPercent}`)
  let grows = true
  const look = (): void => {
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
    const mayGrow = young !== undefined && growthFactor * young.space_size <= fixedLimits.youngHeapBytes
    if (mayGrow === grows) return
    grows = mayGrow
    setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? growthFactor : 1}`)
  }
  look()
  // V8 changes the size only when it collects, and makes it small again while the server is idle.
  new PerformanceObserver(look).observe({ entryTypes: ['gc'] })
}

/** V8's default. */
const growthFactor = 2
