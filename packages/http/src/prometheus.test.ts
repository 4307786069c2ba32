// The text that Prometheus scrapes.
import { expect, test } from 'vitest'
import { Turns } from '../../agent/src/time/turns.ts'
import { prometheusText } from './prometheus.ts'
import { realClock } from './testing/real-clock.ts'

test('counters and gauges have help, type and labels', async () => {
  const metrics = [
    {
      name: 'lks_requests_total',
      help: 'Requests.',
      type: 'counter',
      samples: [
        { labels: { api: 'Fetch' }, value: 3 },
        { labels: { api: 'Produce', version: '9' }, value: 4.5 },
      ],
    },
    { name: 'lks_cache_bytes', help: 'Bytes.', type: 'gauge', samples: [{ labels: {}, value: 7 }] },
    { name: 'lks_flushes_total', help: 'Flushes.', type: 'counter', samples: [] },
  ] as const
  expect(await prometheusText(metrics, new Turns(realClock))).toBe(
    [
      '# HELP lks_requests_total Requests.',
      '# TYPE lks_requests_total counter',
      'lks_requests_total{api="Fetch"} 3',
      'lks_requests_total{api="Produce",version="9"} 4.5',
      '# HELP lks_cache_bytes Bytes.',
      '# TYPE lks_cache_bytes gauge',
      'lks_cache_bytes 7',
      '# HELP lks_flushes_total Flushes.',
      '# TYPE lks_flushes_total counter',
      '',
    ].join('\n'),
  )
})

test('help, labels and values that are special in the format are escaped', async () => {
  const samples = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((value) => ({
    labels: { group: 'a "b" \\ c\nd' },
    value,
  }))
  const text = await prometheusText([{ name: 'lks_lag', help: 'One "\\"\nline.', type: 'gauge', samples }], new Turns(realClock))
  const labels = '{group="a \\"b\\" \\\\ c\\nd"}'
  expect(text.split('\n')).toEqual([
    '# HELP lks_lag One "\\\\"\\nline.',
    '# TYPE lks_lag gauge',
    `lks_lag${labels} NaN`,
    `lks_lag${labels} +Inf`,
    `lks_lag${labels} -Inf`,
    '',
  ])
})

test('thousands of samples are written in several turns', async () => {
  let turns = 0
  const counted = new Turns({
    soon(callback) {
      turns += 1
      realClock.soon(callback)
    },
  })
  const samples = Array.from({ length: 2_000 }, (_, at) => ({ labels: { topic: `t${at}` }, value: at }))
  const text = await prometheusText([{ name: 'lks_topic_records', help: 'Records.', type: 'gauge', samples }], counted)
  expect(turns).toBeGreaterThanOrEqual(4)
  expect(text).toContain('lks_topic_records{topic="t1999"} 1999\n')
})
