// Faked timers and a faked date do not affect the server, which captured the real ones when it was loaded.
import { get } from 'node:http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startKafka } from '../index.ts'
import { WireMember } from './testing/wire-member.ts'

const timers = [
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'clearImmediate',
  'Date',
  'performance',
] as const

beforeEach(() => void vi.useFakeTimers({ toFake: [...timers, 'queueMicrotask'], now: 0 }))
afterEach(() => void vi.useRealTimers())

test('records, waits, time-outs, groups and a stop work', async () => {
  const kafka = await startKafka({ topics: { t: 1 } })
  const waiting = kafka.waitFor('t', 2)
  const [ref] = await kafka.produce('t', 'a', 'b')
  expect((await waiting).map((record) => record.text())).toEqual(['a', 'b'])
  // The server's clock is not faked.
  expect(Date.now()).toBe(0)
  expect(ref?.timestamp).toBeGreaterThan(1_700_000_000_000)
  await expect(kafka.waitFor('t', 3, { timeoutMs: 10 })).rejects.toThrow('not within 10 ms')
  using member = await WireMember.open({ port: kafka.port, clientId: 'bare', groupId: 'g' })
  const group = kafka.group('g')
  const ready = group.ready()
  await member.join('t', [0])
  await member.fetch('t')
  await ready
  const caughtUp = group.caughtUp()
  await member.commit('t', { 0: 2 })
  await caughtUp
  await kafka.stop()
})

test('a start and a stop work repeatedly', async () => {
  for (let run = 0; run < 3; run++) {
    await using kafka = await startKafka({ storeLatencyMs: 5 })
    await kafka.produce('t', 'x')
    await kafka.waitFor('t', 1)
  }
})

// The published package captures all timers when it is loaded: examples/jest shows it.
test('HTTP works; from source only with real microtasks, which the HTTP library captures when it starts', async () => {
  vi.useRealTimers()
  vi.useFakeTimers({ toFake: [...timers], now: 0 })
  await using kafka = await startKafka({ http: true, topics: { t: 1 } })
  expect(await body(`${kafka.urls?.control}/topics`)).toContain('"name":"t"')
})

function body(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += String(chunk)))
      response.on('end', () => resolve(text))
    }).on('error', reject)
  })
}
