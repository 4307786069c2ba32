// Transactional producers copy records exactly once, while they are replaced, stall and die, and the agent and its stores fail.
import { errorStack } from '@local-kafka-service/agent'
import type { Copier } from '../copier.ts'
import { faultlessDatabase } from '../faulty-sql.ts'
import type { Scenario } from '../scenario.ts'
import type { World } from '../world.ts'
import { disturbLife, outage } from './disturbances.ts'
import { anySetup, startClients } from './loads.ts'

export const transactions: Scenario = {
  name: 'transactions',
  about:
    'Transactional producers of both protocols copy records with their offsets; they are replaced while they work, stall and die, and the agent is killed and taken over.',
  partitions: 4,
  setup: anySetup,
  merge: (chance) => (chance.happens(0.3) ? { intervalMs: chance.whole([100, 1_000]), maxAgeMs: chance.whole([100, 5_000]) } : noMerge),
  limits: (chance) => ({ mergeQuietMs: chance.whole([1, 1_000]), mergeObjectBytes: chance.whole([500, 20_000]) }),
  async run(world) {
    const { chance, time } = world
    // The third one copies what the others have copied.
    const copies = [new CopyOf(world, 0, [2, 3]), new CopyOf(world, 1, [2]), new CopyOf(world, 2, [3])]
    const readers = (['read_committed', 'read_committed', 'read_uncommitted'] as const).map((isolation, index) =>
      world.isolatedReader({ name: `${isolation}-${index + 1}`, isolation, maxWaitMs: chance.whole([0, 500]) }),
    )
    const following = Promise.all(readers.map((reader) => reader.run()))
    following.catch(() => {})
    const { clients } = startClients(world, { plain: 1, idempotent: 2, consumers: 1, requests: 30, paceMs: [0, 300] })
    const some = (most: number): number => chance.sometimes(0.5, most)
    for (let rounds = chance.whole([3, 8]); rounds > 0; rounds -= 1) {
      world.database.faults = {
        ...world.database.faults,
        rolledBack: some(0.05),
        lostReply: some(0.1),
        lostRequest: some(0.05),
        zombie: { chance: some(0.1), byMs: [10, 10_000] },
      }
      world.bucket.faults = { ...world.bucket.faults, slow: { chance: some(0.2), latencyMs: [50, 1_000] }, rejected: some(0.1) }
      world.network.faults = { ...world.network.faults, cut: some(0.02) }
      await time.sleep(chance.between([100, 4_000]))
      await disturb(world, chance.pick(copies))
    }
    const settling = settled(world, copies, clients).then(() => {
      for (const reader of readers) reader.stop()
      return following
    })
    settling.catch(() => {})
    return { clients: settling }
  },
}

const noMerge = { intervalMs: -1, maxAgeMs: 0 }

/** The copy of one partition: the instances of its producer, of which the newest one counts. */
class CopyOf {
  readonly #world: World
  readonly #source: number
  readonly #targets: readonly number[]
  readonly #running = new Set<Copier>()
  #newest: Copier | undefined
  #instances = 0
  #isLast = false
  readonly #finished = Promise.withResolvers<void>()

  constructor(world: World, source: number, targets: readonly number[]) {
    this.#world = world
    this.#source = source
    this.#targets = targets
    this.start()
  }

  /** Starts another instance. The others go on until they find out. */
  start(): void {
    const { chance, checker } = this.#world
    const copier = this.#world.copier({
      name: `copy-${this.#source}.${(this.#instances += 1)}`,
      transactionalId: `copy-${this.#source}`,
      groupId: `copies-of-${this.#source}`,
      source: this.#source,
      targets: this.#targets,
      transactionVersion: chance.pick([1, 2]),
      timeoutMs: chance.whole([500, 20_000]),
      paceMs: [0, chance.between([50, 500])],
      aborts: chance.sometimes(0.6, 0.4),
      stalls: chance.sometimes(0.5, 0.2),
    })
    this.#newest = copier
    this.#running.add(copier)
    if (this.#isLast) copier.finish()
    this.#runs(copier).catch((error: unknown) => checker.violate('no defect', `copy of ${this.#source}: ${errorStack(error)}`))
  }

  /** It dies in the middle of its work, and another one is started. */
  kill(): void {
    this.#newest?.die()
  }

  /** Resolves when everything that the source has by now is copied, and no instance runs. */
  async finish(): Promise<void> {
    this.#isLast = true
    for (const copier of this.#running) copier.finish()
    await this.#finished.promise
  }

  async #runs(copier: Copier): Promise<void> {
    const { time, chance } = this.#world
    const isDone = await copier.run()
    this.#running.delete(copier)
    if (!isDone && copier === this.#newest) {
      await time.sleep(chance.between([0, 1_000]))
      if (copier === this.#newest) this.start()
    }
    if (this.#running.size === 0) this.#finished.resolve()
  }
}

async function disturb(world: World, copy: CopyOf): Promise<void> {
  switch (world.chance.pick(['replace', 'replace', 'kill', 'kill', 'life', 'life', 'database', 'calm'] as const)) {
    case 'replace':
      return copy.start()
    case 'kill':
      return copy.kill()
    case 'life':
      return await disturbLife(world)
    case 'database':
      return await outage(world, 'database', [100, 10_000])
    case 'calm':
      world.database.faults = faultlessDatabase
  }
}

async function settled(world: World, copies: readonly CopyOf[], load: Promise<unknown>): Promise<void> {
  const { checker } = world
  await load
  // A copy may be the source of a later one.
  for (const copy of copies) await copy.finish()
  const last = world.isolatedReader({ name: 'last-read_committed', isolation: 'read_committed', maxWaitMs: 500 })
  await last.readAll()
  world.trace.write('transactions', `${checker.transactions.committed} were committed`)
}
