// The bound of V8's heap, in a process of its own, because it changes the flags of the process.
import { fileURLToPath } from 'node:url'
import { fixedLimits } from '@local-kafka-service/agent'
import { expect, test } from 'vitest'
import { runProgram } from '../../../sim/src/program.ts'

/** Creates objects of which each lives for some turns, as those of large requests do, and prints the largest sizes that the heap had. */
const program = `
  const { getHeapSpaceStatistics, getHeapStatistics } = await import('node:v8')
  if (process.argv[1] !== 'unbounded') (await import(process.argv[1])).boundHeap()
  const kept = []
  let [youngBytes, heapBytes] = [0, 0]
  for (let round = 0; round < 400; round += 1) {
    const held = []
    for (let at = 0; at < 10_000; at += 1) held.push({ at, pair: [at, at], deep: { at } })
    kept[round % 60] = held
    for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    youngBytes = Math.max(youngBytes, getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size)
    heapBytes = Math.max(heapBytes, getHeapStatistics().total_heap_size)
  }
  console.log(JSON.stringify({ youngBytes, heapBytes }))
`

async function largest(module: string): Promise<{ readonly youngBytes: number; readonly heapBytes: number }> {
  const { stdout } = await runProgram(process.execPath, ['--conditions=lks-source', '--input-type=module', '-e', program, module])
  // The cast: the program above prints it.
  return JSON.parse(stdout) as { readonly youngBytes: number; readonly heapBytes: number }
}

test('the young generation stays small, and the heap grows by a part of what is in use', { timeout: 200_000 }, async () => {
  const bounded = await largest(fileURLToPath(new URL('heap-growth.ts', import.meta.url)))
  const unbounded = await largest('unbounded')
  // V8 may grow once more before the size is seen.
  const { youngHeapBytes } = fixedLimits
  expect(unbounded.youngBytes).toBeGreaterThan(2 * youngHeapBytes)
  expect(bounded.youngBytes).toBeLessThanOrEqual(2 * youngHeapBytes)
  expect(bounded.heapBytes).toBeLessThan(0.75 * unbounded.heapBytes)
})
