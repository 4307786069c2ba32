// The three ends of an agent.
import { expect, test } from 'vitest'
import { Lifecycle, type LifecycleParts } from './lifecycle.ts'
import type { KafkaPort } from './net/serve.ts'
import { onAbort } from './time/abort.ts'

/** Parts that note what is done to them. `beats` replaces the heartbeats. */
function aLife(beats: (signal: AbortSignal) => Promise<'fenced' | 'stopped'> = untilAborted) {
  const done: string[] = []
  const note = (what: string) => async (): Promise<void> => void done.push(what)
  const parts: LifecycleParts = {
    membership: {
      run: beats,
      leave: note('leave'),
      owners: { fence: () => void done.push('fence') } as LifecycleParts['membership']['owners'],
    },
    groups: {
      run: async (signal) => void (await untilAborted(signal)),
      stop: note('stop groups'),
      abandon: () => void done.push('abandon groups'),
    },
    tails: { forget: () => void done.push('forget') },
    writer: { drain: note('drain writer'), kill: () => void done.push('kill writer'), fenced: false },
    changes: { onSlotsMoved: () => {}, onViewChanged: async () => {} },
    upkeep: [],
    emit: ({ kind }) => void done.push(kind),
  }
  const kafka: KafkaPort = {
    addresses: [],
    connections: 0,
    frameMemory: [],
    stopAccepting: () => void done.push('stop accepting'),
    drain: note('drain Kafka'),
    close: () => void done.push('close'),
  }
  const life = new Lifecycle(parts)
  return { life, kafka, done }
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
