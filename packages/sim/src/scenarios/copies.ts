// Copies of partitions by transactional producers, of which new instances replace old ones: what the scenarios of transactions have in common.
import { errorStack } from '@local-kafka-service/agent'
import type { Copier } from '../copier.ts'
import type { IsolatedReader } from '../isolated-reader.ts'
import type { World } from '../world.ts'

/** The copy of one partition: the instances of its producer, of which the newest one counts. */
export class CopyOf {
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
    if (!isDone && copier === this.#newest) {
      await time.sleep(chance.between([0, 1_000]))
      if (copier === this.#newest) this.start()
    }
    // Not before its successor runs: an older instance that ends in between is not the last one.
    this.#running.delete(copier)
    if (this.#running.size === 0) this.#finished.resolve()
  }
}

/** Readers of both isolation levels, until they are stopped. */
export class ReadersOfCopies {
  readonly #readers: readonly IsolatedReader[]
  readonly #following: Promise<unknown>

  constructor(world: World) {
    const { chance } = world
    this.#readers = (['read_committed', 'read_committed', 'read_uncommitted'] as const).map((isolation, index) =>
      world.isolatedReader({ name: `${isolation}-${index + 1}`, isolation, maxWaitMs: chance.whole([0, 500]) }),
    )
    this.#following = Promise.all(this.#readers.map((reader) => reader.run()))
    this.#following.catch(() => {})
  }

  async stop(): Promise<void> {
    for (const reader of this.#readers) reader.stop()
    await this.#following
  }
}

/** Call it after the last disturbance: everything is copied, and the readers have stopped. */
export function settlingCopies(
  world: World,
  { copies, readers, load }: { readonly copies: readonly CopyOf[]; readonly readers: ReadersOfCopies; readonly load: Promise<unknown> },
): Promise<void> {
  const settling = settled(world, copies, load).then(() => readers.stop())
  settling.catch(() => {})
  return settling
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
