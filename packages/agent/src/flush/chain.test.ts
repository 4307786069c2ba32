// The rules of a chain: PUTs end in any order, commits run in sequence, and the line stops at an abandoned flush.
import { expect, test } from 'vitest'
import { defaultLimits, fixedLimits } from '../limits.ts'
import { rolledBack, ScriptedLog, unknownOutcome } from '../metadata/testing/scripted-log.ts'
import { GatedObjects } from '../objects/testing/gated-objects.ts'
import { ManualClock, steadyRandom } from '../time/testing/manual-clock.ts'
import { Chain, type Flush, type FlushOutcome } from './chain.ts'

test('slow flush beats newer flush: commits keep the order of the seals, whichever PUT ends first', async () => {
  const { chain, objects, log } = aChain()
  const outcomes = [send(chain), send(chain), send(chain)]
  await objects.land(2)
  await objects.land(1)
  await turn()
  expect(log.committed).toEqual([])
  await objects.land(0)
  await Promise.all(outcomes.map((sent) => sent.outcome))
  expect(log.committed).toEqual([1, 2, 3])
})

test('commits run one at a time', async () => {
  const { chain, objects, log } = aChain()
  const gate = Promise.withResolvers<void>()
  const commit = log.commit.bind(log)
  let running = 0
  log.commit = async (input) => {
    running += 1
    expect(running).toBe(1)
    await gate.promise
    running -= 1
    return commit(input)
  }
  const sent = [send(chain), send(chain)]
  await objects.land()
  await objects.land()
  await turn()
  expect(running).toBe(1)
  gate.resolve()
  expect(await Promise.all(sent.map(({ outcome }) => outcome))).toMatchObject([{ kind: 'committed' }, { kind: 'committed' }])
})

test('a commit with an unknown outcome is repeated with the same input until it is definite, and no later one is sent before', async () => {
  const { chain, objects, log, clock } = aChain()
  log.script(
    () => unknownOutcome,
    () => unknownOutcome,
  )
  const first = send(chain)
  const second = send(chain)
  await objects.land()
  await objects.land()
  await clock.advance(10_000)
  expect(await first.outcome).toMatchObject({ kind: 'committed' })
  expect(await second.outcome).toMatchObject({ kind: 'committed' })
  expect(log.calls.map(({ sequence }) => sequence)).toEqual([1, 1, 1, 2])
  expect(log.calls[0]).toBe(log.calls[1])
  expect(log.calls[1]).toBe(log.calls[2])
})

test('a rollback after an attempt with an unknown outcome is not definite: the chain repeats the same call indefinitely', async () => {
  const { chain, objects, log, clock } = aChain()
  const rounds = 60
  log.script(() => unknownOutcome, ...Array.from({ length: rounds }, () => () => rolledBack))
  const sent = send(chain)
  await objects.land()
  await clock.advance(defaultLimits.commitRollbacksMs * 4)
  expect(await sent.outcome).toMatchObject({ kind: 'committed' })
  expect(log.calls.map(({ sequence }) => sequence)).toEqual(new Array(rounds + 2).fill(1))
})

test('a definite rollback after commitRollbacksMs stops the line', async () => {
  const { chain, objects, log, clock, stopped } = aChain()
  let away = true
  log.script(...Array.from({ length: 200 }, () => () => (away ? rolledBack : undefined)))
  const sent = send(chain)
  await objects.land()
  await clock.advance(defaultLimits.commitRollbacksMs + 2_000)
  expect(await sent.outcome).toMatchObject({ kind: 'abandoned' })
  expect(stopped).toHaveLength(1)
  away = false
  await clock.advance(5_000)
  expect(log.committed).toEqual([2])
  expect(log.calls.at(-1)).toMatchObject({ prev: 0, sequence: 2, object: null, batches: [] })
})

test('an abandoned flush can never land, even if its upload finishes later: an empty successor takes its place', async () => {
  const { chain, objects, log, stopped } = aChain()
  const [first, second, third] = [send(chain), send(chain), send(chain)]
  await objects.land(0)
  await first.outcome
  await objects.fail(0)
  expect(await second.outcome).toMatchObject({ kind: 'abandoned', message: expect.stringContaining('the store is away') })
  expect(await third.outcome).toMatchObject({ kind: 'abandoned' })
  expect(stopped).toHaveLength(1)
  await objects.land(0) // the late upload of the third flush
  await chain.drained()
  expect(log.committed).toEqual([1, 4])
  expect(log.calls.at(-1)).toMatchObject({ prev: 1, sequence: 4, object: null, batches: [] })
  const next = send(chain)
  await objects.land(0)
  expect(await next.outcome).toMatchObject({ kind: 'committed' })
  expect(log.calls.at(-1)).toMatchObject({ prev: 4, sequence: 5 })
})

test('a PUT that passes its deadline is abandoned', async () => {
  const { chain, objects, clock, log } = aChain()
  const sent = send(chain)
  await turn()
  await clock.advance(defaultLimits.putDeadlineMs)
  expect(await sent.outcome).toMatchObject({ kind: 'abandoned' })
  await chain.drained()
  await objects.land(0)
  await turn()
  expect(log.committed).toEqual([2])
})

test('the commit of the empty successor is repeated until its outcome is definite', async () => {
  const { chain, objects, log, clock } = aChain()
  log.script(
    () => unknownOutcome,
    () => rolledBack,
    () => unknownOutcome,
  )
  const sent = send(chain)
  await objects.fail()
  expect(await sent.outcome).toMatchObject({ kind: 'abandoned' })
  await clock.advance(20_000)
  await chain.drained()
  expect(log.calls.map(({ sequence }) => sequence)).toEqual([2, 2, 2, 2])
  expect(log.committed).toEqual([2])
})

test('a fenced chain settles all of its flushes as fenced, reports it once, and sends nothing more', async () => {
  const { chain, objects, log, fences } = aChain()
  log.script(() => ({ kind: 'fenced' }))
  const sent = [send(chain), send(chain)]
  await objects.land()
  expect(await Promise.all(sent.map(({ outcome }) => outcome))).toEqual([{ kind: 'fenced' }, { kind: 'fenced' }])
  expect(fences()).toBe(1)
  expect(await chain.send(aFlush(chain.allocate()))).toEqual({ kind: 'fenced' })
  expect(log.calls).toHaveLength(1)
})

test('a database that lost commits ends the chain: it is reported as a defect, and the chain does not guess an order', async () => {
  const { chain, objects, log, events, fences, breaks } = aChain()
  log.script(() => ({ kind: 'out of order', lastSequence: 7 }))
  const sent = send(chain)
  await objects.land()
  expect(await sent.outcome).toEqual({ kind: 'fenced' })
  expect([fences(), breaks()]).toEqual([0, 1])
  expect(events).toContain('defect')
})

test('a flush that is sent out of order breaks the chain: it could overtake an earlier one', async () => {
  const { chain, log, events, breaks } = aChain()
  const [first, second] = [chain.allocate(), chain.allocate()]
  const sent = chain.send(aFlush(second))
  expect(() => chain.send(aFlush(first))).toThrow(/flush 1 was allocated, and sent after flush 2/)
  expect(breaks()).toBe(1)
  expect(events).toContain('defect')
  expect(await sent).toMatchObject({ kind: 'abandoned' })
  expect(await chain.send(aFlush(chain.allocate()))).toEqual({ kind: 'fenced' })
  expect(log.calls).toEqual([])
})

test('a commit without a verdict for each batch breaks the chain, and answers no producer', async () => {
  const { chain, objects, log, events, breaks } = aChain()
  log.script(() => ({ kind: 'committed', result: { verdicts: [], grown: [] } }))
  const settled: FlushOutcome[] = []
  for (const { outcome } of [send(chain), send(chain)]) void outcome.then((one) => settled.push(one))
  await objects.land()
  await objects.land()
  await chain.drained()
  expect([breaks(), settled.length, log.calls.length]).toEqual([1, 0, 1])
  expect(events).toContain('defect')
})

test('a killed chain retries nothing: a flush whose commit was rolled back is abandoned, with all later ones', async () => {
  const { chain, objects, log, clock, events, stopped } = aChain()
  log.script(...Array.from({ length: 200 }, () => () => rolledBack))
  const sent = [send(chain), send(chain)]
  await objects.land(0)
  await turn()
  chain.kill('the end')
  await clock.advance(fixedLimits.commitRetryMaxMs)
  const ending = { kind: 'abandoned', message: 'the end' }
  expect(await Promise.all(sent.map(({ outcome }) => outcome))).toEqual([ending, ending])
  await chain.drained()
  expect(await send(chain).outcome).toEqual(ending)
  await clock.advance(defaultLimits.commitRollbacksMs * 2)
  expect(log.calls).toHaveLength(1)
  expect(stopped).toEqual([])
  expect(events).toEqual(['stored', 'commit retried'])
})

test('a killed chain does not settle a flush whose commit may have landed', async () => {
  const { chain, objects, log, clock } = aChain()
  log.script(...Array.from({ length: 200 }, () => () => unknownOutcome))
  let settled: FlushOutcome | undefined
  void send(chain).outcome.then((outcome) => (settled = outcome))
  await objects.land()
  await turn()
  chain.kill('the end')
  await clock.advance(defaultLimits.commitRollbacksMs)
  await chain.drained()
  expect(settled).toBeUndefined()
  expect(log.calls).toHaveLength(1)
})

test('a commit that was in flight when its chain was killed is answered with its outcome', async () => {
  const { chain, objects, log } = aChain()
  const gate = Promise.withResolvers<void>()
  const commit = log.commit.bind(log)
  log.commit = async (input) => {
    await gate.promise
    return await commit(input)
  }
  const [first, second] = [send(chain), send(chain)]
  await objects.land(0)
  await objects.land(0)
  await turn()
  chain.kill('the end')
  gate.resolve()
  expect(await first.outcome).toMatchObject({ kind: 'committed' })
  expect(await second.outcome).toMatchObject({ kind: 'abandoned' })
  expect(log.committed).toEqual([1])
})

test('a chain that is killed after its line stopped commits no empty successor', async () => {
  const { chain, objects, log, clock } = aChain()
  log.script(...Array.from({ length: 200 }, () => () => rolledBack))
  const sent = send(chain)
  await objects.fail()
  expect(await sent.outcome).toMatchObject({ kind: 'abandoned' })
  const triedBefore = log.calls.length
  chain.kill('the end')
  await clock.advance(defaultLimits.commitRollbacksMs * 3)
  await chain.drained()
  expect(log.calls).toHaveLength(triedBefore)
})

test('flushes settle in the order of the seals, also when the line stops', async () => {
  const { chain, objects } = aChain()
  const order: number[] = []
  const sent = [0, 1, 2].map((index) => send(chain).outcome.then(() => order.push(index)))
  await objects.fail(2)
  await objects.fail(1)
  await turn()
  expect(order).toEqual([])
  await objects.land(0)
  await Promise.all(sent)
  expect(order).toEqual([0, 1, 2])
})

test('at most limits.putsInFlight PUTs run at a time', async () => {
  const { chain, objects } = aChain()
  const sent = Array.from({ length: defaultLimits.putsInFlight + 3 }, () => send(chain))
  await turn()
  expect(objects.waiting).toHaveLength(defaultLimits.putsInFlight)
  while (objects.waiting.length > 0) {
    await objects.land(0)
    await turn()
    expect(objects.waiting.length).toBeLessThanOrEqual(defaultLimits.putsInFlight)
  }
  expect((await Promise.all(sent.map(({ outcome }) => outcome))).every(({ kind }) => kind === 'committed')).toBe(true)
})

function aChain(): {
  readonly chain: Chain
  readonly objects: GatedObjects
  readonly log: ScriptedLog
  readonly clock: ManualClock
  readonly stopped: readonly string[]
  readonly events: readonly string[]
  readonly fences: () => number
  readonly breaks: () => number
} {
  const objects = new GatedObjects()
  const log = new ScriptedLog()
  const clock = new ManualClock()
  const stopped: string[] = []
  const events: string[] = []
  let fences = 0
  let breaks = 0
  const chain = new Chain({
    clusterId: '00000000-0000-4000-8000-000000000001',
    incarnation: { id: 1, nonce: '0123456789abcdef' },
    objects,
    log,
    clock,
    random: steadyRandom(),
    emit: ({ kind }) => void events.push(kind),
    producerIdExpirationMs: () => 1_000,
    limits: defaultLimits,
    onStopped: (message) => void stopped.push(message),
    onFenced: () => void (fences += 1),
    onBroken: () => void (breaks += 1),
  })
  return { chain, objects, log, clock, stopped, events, fences: () => fences, breaks: () => breaks }
}

function send(chain: Chain): { readonly outcome: Promise<FlushOutcome> } {
  return { outcome: chain.send(aFlush(chain.allocate())) }
}

function aFlush(sequence: number): Flush {
  const bytes = Uint8Array.of(sequence)
  return {
    sequence,
    object: { chunks: [bytes], sizeBytes: 1, checksum: 0 },
    batches: [
      {
        topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
        partition: 0,
        epoch: 1,
        offsets: 1,
        maxTimestamp: 0,
        byteStart: 0,
        sizeBytes: 1,
        producerId: -1,
        producerEpoch: -1,
        baseSequence: -1,
      },
    ],
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
