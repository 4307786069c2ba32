// The metrics of the object store: its requests by the hour, and their cost where they cost something.
import { expect, test } from 'vitest'
import type { Gauges } from './gauges.ts'
import { Meters } from './metrics.ts'

const request = { failed: 0, failedBy: {}, seconds: 0, bytes: 0 }
const gauges: Gauges = {
  connections: 0,
  uncommittedBytes: 0,
  memory: [],
  slabs: { usedBytes: 0, freeBytes: 0 },
  flushesInFlight: 0,
  heartbeatAgeSeconds: 0,
  damagedPlaces: 0,
  compaction: { dirtyPartitions: 0, dirtyBytes: 0 },
  merge: { segments: 0, bytes: 0 },
  jobs: [],
  cache: { bytes: 0, hits: 0, misses: 0 },
  store: [
    { ...request, operation: 'put', count: 9, perHour: 14_400 },
    { ...request, operation: 'read', count: 5, perHour: 1_000 },
    { ...request, operation: 'remove', count: 1, perHour: 10 },
  ],
}

function valuesOf(name: string, of: Gauges): readonly (readonly [operation: string | undefined, value: number])[] {
  const metric = new Meters().read(of).find((one) => one.name === name)
  return metric?.samples.map(({ labels, value }) => [labels['operation'], Number(value.toPrecision(6))]) ?? []
}

test('requests are shown by the hour, without a cost if they cost nothing', () => {
  expect(valuesOf('lks_store_requests_per_hour', gauges)).toEqual([
    ['put', 14_400],
    ['read', 1_000],
    ['remove', 10],
  ])
  expect(valuesOf('lks_store_dollars_per_hour', gauges)).toEqual([])
})

test('each operation that has a price is shown with its cost', () => {
  expect(valuesOf('lks_store_dollars_per_hour', { ...gauges, storePrices: { put: 0.000_005, read: 0.000_000_4 } })).toEqual([
    ['put', 0.072],
    ['read', 0.0004],
  ])
})

test('failures have their kind, and a failure without one is not left out', () => {
  const store = [
    { ...request, operation: 'read', count: 9, perHour: 0, failed: 4, failedBy: { missing: 1, timeout: 2 } },
    { ...request, operation: 'put', count: 9, perHour: 0 },
  ]
  const metric = new Meters().read({ ...gauges, store }).find(({ name }) => name === 'lks_store_failures_total')
  expect(metric?.samples).toEqual([
    { labels: { operation: 'read', kind: 'missing' }, value: 1 },
    { labels: { operation: 'read', kind: 'timeout' }, value: 2 },
    { labels: { operation: 'read', kind: 'unknown' }, value: 1 },
  ])
})

test('closed connections are counted by their cause', () => {
  const meters = new Meters()
  for (const cause of ['client', 'idle', 'client'] as const)
    meters.count({ kind: 'connection closed', connectionId: 1, cause, reason: 'any' })
  const closed = meters.read(gauges).find(({ name }) => name === 'lks_connections_closed_total')
  expect(closed?.samples).toEqual([
    { labels: { cause: 'client' }, value: 2 },
    { labels: { cause: 'idle' }, value: 1 },
  ])
})
