// When the writer seals for producers that wait: clients of each kind on a store that takes 100 ms, with the budgets of S3.
import { expect, test } from 'vitest'
import { fixedLimits } from '../limits.ts'
import { MemoryObjects } from '../objects/adapters/memory.ts'
import { delayedObjects } from '../objects/wrappers/delayed.ts'
import type { ManualClock } from '../time/testing/manual-clock.ts'
import { ClosedLoops } from './closed-loops.ts'
import { aRecord, aWriter, type Sealed } from './testing/a-writer.ts'
import type { FlushPolicy, Writer } from './writer.ts'

const s3: FlushPolicy = {
  maxBytes: 8 * 1024 * 1024,
  lingerMs: 250,
  flushesInFlight: 8,
  putsPerSecond: 4,
  burst: 4,
  putsPerSecondMax: 20,
}
const latencyMs = 100

test('a client that keeps five requests in flight is answered at the pace of the store, with one PUT for its five', async () => {
  const { run, seals, client } = aServer()
  const java = client({ window: 5, gapMs: 1, reactionMs: 2 })
  await run(10_000)
  // Its own bound: five in each 100 ms, and 2 ms until it is back, 1 ms between two requests.
  expect(java.answered).toBeGreaterThan(0.9 * 5 * (10_000 / 107))
  expect(putsPerSecond(seals, 2_000)).toBeLessThanOrEqual(1_000 / 105)
  expect(new Set(seals.slice(-20).map(({ trigger, batches }) => `${trigger} ${batches}`))).toEqual(new Set(['waiting 5']))
})

test('many clients with one request in flight each share one PUT', async () => {
  const { run, seals, client } = aServer()
  const clients = Array.from({ length: 50 }, (_, index) => client({ window: 1, gapMs: 0, reactionMs: 1 + (index % 10) }))
  await run(10_000)
  for (const { answered } of clients) expect(answered).toBeGreaterThan(0.85 * (10_000 / 110))
  expect(putsPerSecond(seals, 2_000)).toBeLessThanOrEqual(10)
})

test('clients that come back later than others get flushes of their own, up to the ceiling', async () => {
  const { run, seals, client } = aServer()
  client({ window: 1, gapMs: 0, reactionMs: 2 })
  const slow = client({ window: 1, gapMs: 0, reactionMs: 14 })
  const far = client({ window: 1, gapMs: 0, reactionMs: 40 })
  await run(10_000)
  expect(slow.answered).toBeGreaterThan(0.85 * (10_000 / 116))
  expect(far.answered).toBeGreaterThan(40)
  expect(putsPerSecond(seals, 0)).toBeLessThanOrEqual(20)
})

test('the ceiling holds on a store that is faster than it', async () => {
  const { run, seals, client } = aServer({ latencyMs: 1 })
  const sequential = client({ window: 1, gapMs: 0, reactionMs: 1 })
  await run(10_000)
  expect(sequential.answered).toBeGreaterThan(190)
  expect(putsPerSecond(seals, 1_000)).toBeLessThanOrEqual(20)
})

test('a trickle of lone records from many connections keeps the budget, and is answered soon while it is idle', async () => {
  const { run, seals, client } = aServer()
  const trickle = Array.from({ length: 100 }, (_, index) => client({ everyMs: 10_000, firstAtMs: index * 97 }))
  await run(30_000)
  expect(putsPerSecond(seals, 2_000)).toBeLessThanOrEqual(4)
  expect(trickle.reduce((sum, { answered }) => sum + answered, 0)).toBeGreaterThan(295)
  const lone = aServer()
  const one = lone.client({ everyMs: 1_000, firstAtMs: 0 })
  await lone.run(5_000)
  expect(Math.max(...one.latenciesMs)).toBeLessThanOrEqual(latencyMs + 1)
})

test.each([5, 8, 11, 20, 50, 100, 150])('one connection that sends %i records a second at its own pace keeps the budget', async (rate) => {
  for (const window of [5, 1_000]) {
    const { run, seals, client } = aServer()
    client({ everyMs: 1_000 / rate, firstAtMs: 0, window })
    await run(20_000)
    expect(putsPerSecond(seals, 8_000)).toBeLessThan(4.001)
  }
})

test('a client that waits for no answers keeps the budget, until the connection takes no more of its requests', async () => {
  const { run, seals, client } = aServer()
  client({ everyMs: 20, firstAtMs: 0, window: 64 })
  await run(10_000)
  expect(putsPerSecond(seals, 2_000)).toBeLessThanOrEqual(4)
  const busy = aServer()
  const firehose = busy.client({ window: 64, gapMs: 0, reactionMs: 0 })
  await busy.run(10_000)
  expect(firehose.answered).toBeGreaterThan(0.85 * 64 * (10_000 / 101))
  expect(putsPerSecond(busy.seals, 2_000)).toBeLessThanOrEqual(10)
})

test('in a mixture, the closed loops run at the pace of the store, and the others join their flushes', async () => {
  const { run, seals, client } = aServer()
  const java = client({ window: 5, gapMs: 1, reactionMs: 2 })
  const clients = Array.from({ length: 10 }, () => client({ window: 1, gapMs: 0, reactionMs: 3 }))
  for (let index = 0; index < 20; index++) client({ everyMs: 2_000, firstAtMs: index * 97 })
  client({ everyMs: 13, firstAtMs: 0, window: 1_000 })
  await run(10_000)
  expect(java.answered).toBeGreaterThan(0.85 * 5 * (10_000 / 107))
  for (const { answered } of clients) expect(answered).toBeGreaterThan(0.8 * (10_000 / 107))
  expect(putsPerSecond(seals, 2_000)).toBeLessThanOrEqual(10)
})

test('a client that ends its loop and then sends at its own pace keeps the budget again', async () => {
  const { run, seals, client } = aServer()
  const looped = client({ window: 1, gapMs: 0, reactionMs: 1 })
  await run(5_000)
  looped.stop()
  client({ everyMs: 100, firstAtMs: 0, window: 1_000, connection: looped.connection })
  await run(1_000)
  const at = seals.length
  await run(10_000)
  expect(seals.length - at).toBeLessThanOrEqual(41)
})

test('without a ceiling, closed loops wait for the budget', async () => {
  const { putsPerSecondMax: _, ...policy } = s3
  const { run, seals, client } = aServer({ policy })
  client({ window: 5, gapMs: 1, reactionMs: 2 })
  await run(10_000)
  expect(putsPerSecond(seals, 2_000)).toBeLessThanOrEqual(4)
  expect(seals.some(({ trigger }) => trigger === 'waiting')).toBe(false)
})

// ---- where a PUT costs nothing -----------------------------------------------------------------------------------------------------------

const directory: FlushPolicy = {
  maxBytes: 8 * 1024 * 1024,
  lingerMs: 0,
  flushesInFlight: 1,
  putsPerSecond: Number.POSITIVE_INFINITY,
  burst: 1,
  gather: { fromBytes: 1_000, toBytes: 10_000 },
}

test('where a PUT costs nothing, a client with five large requests in flight gets one flush for its five', async () => {
  const { run, seals, client } = aServer({ policy: directory, latencyMs: 1 })
  const java = client({ window: 5, gapMs: 1, reactionMs: 2, recordBytes: 1_000 })
  await run(2_000)
  expect(new Set(seals.slice(-50).map(({ batches }) => batches))).toEqual(new Set([5]))
  // 2 ms until it is back, 1 ms between two requests, 1 ms for the PUT.
  expect(java.answered).toBeGreaterThan(0.9 * 5 * (2_000 / 8))
})

test('a flush that is large enough, or small, waits for nothing', async () => {
  for (const recordBytes of [10_000, 10]) {
    const { run, seals, client } = aServer({ policy: directory, latencyMs: 1 })
    client({ window: 5, gapMs: 2, reactionMs: 2, recordBytes })
    await run(2_000)
    expect(Math.max(...seals.slice(-50).map(({ batches }) => batches))).toBeLessThanOrEqual(2)
  }
})

test('a client that waits for each answer is answered at the pace of the store, beside one that is late', async () => {
  const { run, client } = aServer({ policy: directory, latencyMs: 1 })
  const fast = client({ window: 1, gapMs: 0, reactionMs: 1, recordBytes: 2_000 })
  client({ window: 1, gapMs: 0, reactionMs: 20, recordBytes: 2_000 })
  await run(2_000)
  expect(fast.answered).toBeGreaterThan(0.9 * (2_000 / 2))
})

test('a client that sends fewer requests than before delays its own answers by a few milliseconds, and soon not at all', async () => {
  const { run, client } = aServer({ policy: directory, latencyMs: 1 })
  const before = client({ window: 5, gapMs: 0, reactionMs: 0, recordBytes: 1_000 })
  await run(100)
  before.stop()
  await run(100)
  const after = client({ window: 1, gapMs: 0, reactionMs: 0, recordBytes: 1_000, connection: before.connection })
  await run(2_000)
  expect(Math.max(...after.latenciesMs)).toBe(1 + fixedLimits.gatherQuietMs)
  expect(after.latenciesMs.slice(5 * 33)).toEqual(after.latenciesMs.slice(5 * 33).map(() => 1))
})

test('a stream of its own pace is answered within the longest wait and the PUT, with fewer flushes', async () => {
  const { run, seals, client } = aServer({ policy: directory, latencyMs: 3 })
  const stream = client({ everyMs: 1, firstAtMs: 0, recordBytes: 1_000 })
  await run(2_000)
  expect(Math.max(...stream.latenciesMs)).toBeLessThanOrEqual(3 + fixedLimits.gatherMs + 1)
  expect(seals.length).toBeLessThan(2_000 / 7)
})

/** PUTs per second after the first `fromMs`. */
function putsPerSecond(seals: readonly Sealed[], fromMs: number): number {
  const startMs = 1_000_000 + fromMs
  const counted = seals.filter(({ atMs }) => atMs >= startMs)
  const [first, last] = [counted[0], counted.at(-1)]
  return first === undefined || last === undefined || first === last ? 0 : ((counted.length - 1) * 1_000) / (last.atMs - first.atMs)
}

interface Load {
  /** Unanswered requests, at most. */
  readonly window?: number
  /** A closed loop: a request is sent so long after an answer that makes room, and so long after the previous one. */
  readonly reactionMs?: number
  readonly gapMs?: number
  /** Its own pace. */
  readonly everyMs?: number
  readonly firstAtMs?: number
  readonly connection?: object
  readonly recordBytes?: number
}

interface Client {
  readonly connection: object
  readonly answered: number
  readonly latenciesMs: readonly number[]
  stop(): void
}

function aServer(options: { readonly policy?: FlushPolicy; readonly latencyMs?: number } = {}) {
  const made = aWriter(options.policy ?? s3, (clock) =>
    delayedObjects(new MemoryObjects(), clock, { latencyMs: options.latencyMs ?? latencyMs }),
  )
  const { writer, clock, seals } = made
  return {
    clock,
    seals,
    run: (forMs: number) => clock.advance(forMs),
    client: (load: Load) => aClient(writer, clock, load),
  }
}

/** A client sends when it may: its window has room, its pace or its reaction allows it. Records that its pace makes meanwhile wait in the client. */
function aClient(writer: Writer, clock: ManualClock, load: Load): Client {
  const { window = 1_000, reactionMs = 0, gapMs = 0, everyMs, connection = {}, recordBytes = 10 } = load
  const latenciesMs: number[] = []
  let ready = everyMs === undefined ? Number.POSITIVE_INFINITY : 0
  let unanswered = 0
  let sending = false
  let stopped = false
  const send = (): void => {
    sending = false
    if (stopped || unanswered >= window || ready === 0) return
    if (everyMs !== undefined) ready = 0 // one batch takes all
    unanswered += 1
    const atMs = clock.monotonic()
    void writer.admit([aRecord(recordBytes)], { source: connection, producer: connection }).answers.then(() => {
      unanswered -= 1
      latenciesMs.push(clock.monotonic() - atMs)
      next(reactionMs)
    })
    next(gapMs)
  }
  const next = (afterMs: number): void => {
    if (sending) return
    sending = true
    clock.after(afterMs, send)
  }
  if (everyMs === undefined) next(0)
  else {
    const tick = (): void => {
      if (stopped) return
      ready += 1
      next(0)
      clock.after(everyMs, tick)
    }
    clock.after(load.firstAtMs ?? 0, tick)
  }
  return {
    connection,
    get answered() {
      return latenciesMs.length
    },
    latenciesMs,
    stop: () => void (stopped = true),
  }
}

test('a producer whose time to come back ends at this instant is late, however the difference rounds', () => {
  const loops = new ClosedLoops()
  const connection = {}
  const admitted = (nowMs: number): void => {
    loops.admitted(connection, nowMs)
    loops.sealed(new Map([[connection, 1]]))
  }
  const answered = (nowMs: number): void => loops.answered(new Map([[connection, 1]]), nowMs)
  admitted(0)
  answered(1)
  admitted(2) // back at its depth: the first evidence of a closed loop
  const answeredAtMs = 7.3
  answered(answeredAtMs)
  expect(loops.state(answeredAtMs).backWithinMs).toBeCloseTo(25)
  const endMs = answeredAtMs + 25
  // The difference of these two is less than 25, so a second way to compare them answers that it is not late. With both ways, this call never returned.
  expect(endMs - answeredAtMs).toBeLessThan(25)
  expect(loops.state(endMs).backWithinMs).toBe(0)
})
