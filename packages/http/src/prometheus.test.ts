// The text that Prometheus scrapes.
import { expect, test } from 'vitest'
import { prometheusText } from './prometheus.ts'

test('counters and gauges have help, type and labels, and a scrape keeps no state', async () => {
  const metrics = [
    {
      name: 'lks_requests_total',
      help: 'Requests.',
      type: 'counter',
      samples: [
        { labels: { api: 'Fetch' }, value: 3 },
        { labels: { api: 'Produce' }, value: 4 },
      ],
    },
    { name: 'lks_cache_bytes', help: 'Bytes.', type: 'gauge', samples: [{ labels: {}, value: 7 }] },
    { name: 'lks_flushes_total', help: 'Flushes.', type: 'counter', samples: [] },
  ] as const
  const first = await prometheusText(metrics)
  expect(first.text).toContain(
    '# TYPE lks_requests_total counter\nlks_requests_total{api="Fetch"} 3\nlks_requests_total{api="Produce"} 4\n',
  )
  expect(first.text).toContain('# HELP lks_cache_bytes Bytes.\n# TYPE lks_cache_bytes gauge\nlks_cache_bytes 7\n')
  expect(await prometheusText(metrics)).toEqual(first)
})
