// The metrics of the object store: requests, failures, and what they cost.
import type { Gauges } from './gauges.ts'
import { counter, type Metric } from './metric.ts'

export function storeMetrics(gauges: Gauges): readonly Metric[] {
  const { store } = gauges
  return [
    counter(
      'lks_store_requests_total',
      'Requests to the object store.',
      store.map(({ operation, count }) => ({ labels: { operation }, value: count })),
    ),
    counter(
      'lks_store_failures_total',
      'Requests to the object store that failed, by the kind of failure. `missing` is the answer to a look for an object that may not be there.',
      store.flatMap(failuresOf),
    ),
    counter(
      'lks_store_seconds_total',
      'Time spent in requests to the object store.',
      store.map(({ operation, seconds }) => ({ labels: { operation }, value: seconds })),
    ),
    counter(
      'lks_store_bytes_total',
      'Bytes moved to and from the object store.',
      store.map(({ operation, bytes }) => ({ labels: { operation }, value: bytes })),
    ),
    {
      name: 'lks_store_requests_per_hour',
      help: 'Requests to the object store in the last hour; after a start, since then and scaled to an hour.',
      type: 'gauge',
      samples: store.map(({ operation, perHour }) => ({ labels: { operation }, value: perHour })),
    },
    ...costOf(gauges),
  ]
}

/** A failure of no known kind is a defect. */
function failuresOf({ operation, failed, failedBy }: Gauges['store'][number]): Metric['samples'] {
  const known = Object.entries(failedBy)
  const unknown = failed - known.reduce((sum, [, count]) => sum + count, 0)
  return [...known, ...(unknown > 0 ? [['unknown', unknown] as const] : [])].map(([kind, value]) => ({
    labels: { operation, kind },
    value,
  }))
}

/** Requests that cost nothing are left out. */
function costOf({ store, storePrices }: Gauges): readonly Metric[] {
  if (storePrices === undefined) return []
  const samples = store.flatMap(({ operation, perHour }) => {
    const price = storePrices[operation]
    return price === undefined ? [] : [{ labels: { operation }, value: perHour * price }]
  })
  return [{ name: 'lks_store_dollars_per_hour', help: 'The cost of those requests at the prices of the settings.', type: 'gauge', samples }]
}
