// The numbers of /metrics.
import { expect, test } from 'vitest'
import { metricsOf, sum } from './metrics.ts'

test('samples are summed, all of them or those with the labels', () => {
  const metrics = metricsOf(`# HELP lks_a Help.
# TYPE lks_a counter
lks_a{operation="put",note="a \\"b\\", c"} 2
lks_a{operation="read"} 1.5

lks_b 7
`)
  expect(sum(metrics, 'lks_a')).toBe(3.5)
  expect(sum(metrics, 'lks_a', { operation: 'put' })).toBe(2)
  expect(metrics.get('lks_a')?.[0]?.labels).toEqual({ operation: 'put', note: 'a \\"b\\", c' })
  expect(sum(metrics, 'lks_b')).toBe(7)
  expect(sum(metrics, 'lks_absent')).toBe(0)
})
