// The parts of a server's memory are read from its metrics.
import { expect, test } from 'vitest'
import { memoryParts } from './memory-parts.ts'

test('each part has its use and its limit', () => {
  const metrics = [
    '# HELP lks_memory_bytes Memory that the agent holds for clients, by part.',
    '# TYPE lks_memory_bytes gauge',
    'lks_memory_bytes{part="small frames"} 0',
    'lks_memory_bytes{part="cache"} 5e+07',
    'lks_memory_bytes{part="unlimited"} 7',
    'lks_memory_limit_bytes{part="cache"} 67108864',
    'lks_memory_limit_bytes{part="small frames"} 8388608',
    'lks_connections 3',
  ].join('\n')
  expect(memoryParts(metrics)).toEqual([
    { part: 'small frames', usedBytes: 0, limitBytes: 8_388_608 },
    { part: 'cache', usedBytes: 50_000_000, limitBytes: 67_108_864 },
  ])
  expect(memoryParts('')).toEqual([])
})
