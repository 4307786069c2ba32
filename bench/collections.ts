// Loaded into a measured server (`--import`): counts the mark-compacts of its heap, and prints the count on standard error for each SIGUSR2.
import { constants, PerformanceObserver } from 'node:perf_hooks'

let markCompactCount = 0
const observer = new PerformanceObserver((list) => count(list.getEntries()))
observer.observe({ entryTypes: ['gc'] })
process.on('SIGUSR2', () => {
  count(observer.takeRecords())
  process.stderr.write(`mark-compacts: ${markCompactCount}\n`)
})

function count(entries: readonly PerformanceEntry[]): void {
  for (const entry of entries) {
    // The cast is safe because the observer receives only entries of garbage collections, whose detail has a kind.
    const { detail } = entry as PerformanceEntry & { readonly detail: { readonly kind: number } }
    if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) markCompactCount += 1
  }
}
