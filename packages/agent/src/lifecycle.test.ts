// The three ends of an agent.
import { expect, test } from 'vitest'
import { Lifecycle, type LifecycleParts } from './lifecycle.ts'
import type { KafkaPort } from './net/serve.ts'
import { onAbort } from './time/abort.ts'
import { ManualClock } from './time/testing/manual-clock.ts'
import { Owners } from './view/owners.ts'

/** Parts that note what is done to them. `beats` replaces the heartbeats. */
function aLife(beats: (signal: AbortSignal) => Promise<'fenced' | 'stopped'> = untilAborted, others = 0) {
  const done: string[] = []
  const clock = new ManualClock()
  const note = (what: string) => async (): Promise<void> => void done.push(what)
  const parts: LifecycleParts = {
    membership: {
      run: beats,
      leave: note('leave'),
      refresh: note('refresh'),
      watch: async (signal) => {
        done.push('watch')
        await untilAborted(signal)
      },
      owners: ownersOf(others, done),
    },
    groups: {
      run: async (signal) => void (await untilAborted(signal)),
      stop: note('stop groups'),
      release: note('release groups'),
      abandon: () => void done.push('abandon groups'),
    },
    tails: { forget: () => void done.push('forget') },
    writer: { drain: note('drain writer'), kill: () => void done.push('kill writer'), fenced: false },
    changes: { onSlotsMoved: () => {}, onViewChanged: async () => {} },
    upkeep: [],
    follower: { run: async (signal) => void (await untilAborted(signal)) },
    redirectMs: 10_000,
    clock,
    emit: ({ kind }) => void done.push(kind),
  }
  const connected = Promise.withResolvers<void>()
  const kafka: KafkaPort = {
    addresses: [],
    connections: 0,
    frameMemory: [],
    idle: () => connected.promise,
    stopAccepting: () => void done.push('stop accepting'),
    drain: note('drain Kafka'),
    close: () => void done.push('close'),
  }
  const life = new Lifecycle(parts)
  return { life, kafka, done, clock, lastClientGone: () => connected.resolve() }
}

/** `others`: the other agents that live. */
function ownersOf(others: number, done: string[]): Owners {
  const owners = new Owners({ slots: 4, brokerId: 1, incarnation: { id: 1, nonce: '0123456789abcdef' } })
  const address = { host: 'h', port: 1, rack: null, controlUrl: null, dataUrl: null }
  owners.publishMembers(
    Array.from({ length: 1 + others }, (_, at) => ({ brokerId: at + 1, agent: `${at + 1}`, incarnation: at + 1, beats: 1, ...address })),
  )
  const fence = owners.fence.bind(owners)
  owners.fence = () => {
    done.push('fence')
    fence()
  }
  return owners
}

function untilAborted(signal: AbortSignal): Promise<'stopped'> {
  return new Promise((resolve) => void onAbort(signal, () => resolve('stopped')))
}

test('a drain has one order, and the slots are given up after the last commit', async () => {
  const { life, kafka, done } = aLife()
  life.run(kafka)
  await life.drain()
  expect(await life.ended).toBe('drained')
  expect(done).toEqual(['stop accepting', 'stop groups', 'drain Kafka', 'drain writer', 'leave', 'close'])
})

test('beside others, a drain gives everything away first, and sends clients on until none is connected', async () => {
  const { life, kafka, done, lastClientGone } = aLife(untilAborted, 1)
  life.run(kafka)
  const drained = life.drain()
  await until(() => done.includes('watch'))
  const before = [...done]
  expect(before).toEqual(['release groups', 'drain writer', 'leave', 'refresh', 'watch'])
  lastClientGone()
  await drained
  expect(done.slice(before.length)).toEqual(['stop accepting', 'stop groups', 'drain Kafka', 'drain writer', 'leave', 'close'])
  expect(await life.ended).toBe('drained')
})

test('clients that stay connected are sent on for a limited time', async () => {
  const { life, kafka, done, clock } = aLife(untilAborted, 1)
  life.run(kafka)
  const drained = life.drain()
  await until(() => done.includes('watch'))
  await clock.advance(9_999)
  expect(done.at(-1)).toBe('watch')
  await clock.advance(1)
  await drained
  expect(done.at(-1)).toBe('close')
})

test('a killed agent flushes nothing and gives no slot up, and a later drain does nothing', async () => {
  const { life, kafka, done } = aLife()
  life.run(kafka)
  life.kill()
  await life.drain()
  expect(await life.ended).toBe('killed')
  expect(done).toEqual(['abandon groups', 'kill writer', 'close'])
})

test('a heartbeat that finds the agent fenced ends it', async () => {
  const { life, kafka, done } = aLife(() => Promise.resolve('fenced'))
  life.run(kafka)
  expect(await life.ended).toBe('fenced')
  expect(done).toEqual(['fence', 'forget', 'abandon groups', 'close'])
})

test('an agent that is fenced before its port is open closes the port at once', async () => {
  const { life, kafka, done } = aLife()
  life.fence()
  life.run(kafka)
  expect(await life.ended).toBe('fenced')
  expect(done.at(-1)).toBe('close')
})

test('a loop that fails is a defect, and the agent kills itself', async () => {
  const { life, kafka, done } = aLife(() => Promise.reject(new RangeError('no')))
  life.run(kafka)
  expect(await life.ended).toBe('killed')
  expect(done).toEqual(['defect', 'abandon groups', 'kill writer', 'close'])
})

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve))
}
