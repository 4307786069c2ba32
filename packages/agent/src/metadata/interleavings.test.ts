// Two bodies on two PostgreSQL connections, run in every order in which their messages can reach the server. SQLite is serial and cannot show these races.
// It is longer than other files because it is one thing: each test needs the same scene and the same stepping of two bodies.
import { randomUUID } from 'node:crypto'
import type { Pool, PoolClient } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { must } from '../core/assert.ts'
import type { Incarnation } from '../core/ids.ts'
import { slotOfPartition } from '../core/slots.ts'
import { defaultLimits } from '../limits.ts'
import type { Cluster } from './cluster.ts'
import type { CommitDecision, CommitTransaction } from './commit.ts'
import type { CommitBatch, Registration, Segment, Topic } from './metadata-store.ts'
import type { OpenedMetadata } from './open.ts'
import { openPool, openPostgres, transact } from './postgres.ts'
import type { Body, Call, Row, Sql, TransactionOutcome } from './sql.ts'
import type { SwapSegments } from './swap-store.ts'
import { aCommitIn, aNonce, anAgent, aTopic, openCluster, registered } from './testing/a-cluster.ts'
import { type Started, startPostgres } from './testing/postgres-server.ts'
import { type Transactions, transactions } from './transactions.ts'

const started: Started = await startPostgres()

describe.skipIf(started.kind !== 'started')(
  `two bodies in every order of their messages${started.kind === 'started' ? '' : ` (${started.why})`}`,
  () => {
    if (started.kind !== 'started') return
    const { postgres } = started
    let sql: Sql<Transactions>
    let pool: Pool
    let left: PoolClient
    let right: PoolClient

    beforeAll(async () => {
      sql = await openPostgres({ url: postgres.url })
      pool = await openPool({ url: postgres.url })
      left = await pool.connect()
      right = await pool.connect()
    })
    afterAll(async () => {
      left.release()
      right.release()
      await pool.end()
      await sql.close()
      await postgres.stop()
    })

    /** A cluster with a topic of two partitions, one agent, and two records in partition 0. */
    async function aScene(): Promise<Scene> {
      const store = await openCluster(sql)
      const me = await registered(store, 'me')
      const topic = await aTopic(store, { partitions: 2 })
      const cluster: Cluster = { number: await numberOf(store), id: store.clusterId, slots: store.slots }
      const scene = { store, me, topic, cluster }
      expect(await store.log.commit(aFlush(scene, 1, [{ offsets: 2 }]))).toMatchObject({ kind: 'committed' })
      return scene
    }

    async function numberOf(store: OpenedMetadata): Promise<number> {
      const [row] = await postgres.query<{ cluster: number }>('SELECT cluster FROM lks.clusters WHERE cluster_id = $1', [store.clusterId])
      return row?.cluster ?? -1
    }

    /** Runs both in the given order: each letter lets one body send its next message and waits until it is answered or blocks on a lock. Returns the first to end. */
    async function inOrder<L, R>(
      order: string,
      leftBody: Body<L>,
      rightBody: Body<R>,
    ): Promise<readonly [TransactionOutcome<L>, TransactionOutcome<R>, 'L' | 'R']> {
      const ended: ('L' | 'R')[] = []
      const l = new Stepped(left, leftBody, { waits: () => waitsForLock(left), onEnd: () => void ended.push('L') })
      const r = new Stepped(right, rightBody, { waits: () => waitsForLock(right), onEnd: () => void ended.push('R') })
      for (const letter of order) await (letter === 'L' ? l : r).step()
      while (!l.done || !r.done) {
        await l.step()
        await r.step()
      }
      return [await l.outcome, await r.outcome, ended[0] ?? 'L']
    }

    async function waitsForLock(client: PoolClient): Promise<boolean> {
      const pid = (client as unknown as { readonly processID: number }).processID
      const [row] = await postgres.query<{ type: string | null }>('SELECT wait_event_type AS type FROM pg_stat_activity WHERE pid = $1', [
        pid,
      ])
      return row?.type === 'Lock'
    }

    const highWatermark = async ({ store, topic }: Scene, partition = 0): Promise<number | undefined> =>
      (await store.log.partitions([{ topicId: topic.topicId, partition }]))[0]?.highWatermark

    /** Another agent takes the slots of the one that commits. */
    async function aTakeover() {
      const scene = await aScene()
      const other = (await registered(scene.store, 'other')).incarnation
      const silent = await scene.store.members.leases()
      return { scene, take: transactions.takeSlots({ cluster: scene.cluster, input: { incarnation: other, silent } }) }
    }

    test('without the lock and the fence of the old owner, a commit lands after the takeover, so the rule of takeovers below is tested', async () => {
      const { scene, take } = await aTakeover()
      const [committed, taken, first] = await inOrder(
        'LRRRL',
        transactions.commit({ cluster: scene.cluster, input: aFlush(scene, 2, [{ offsets: 3 }]) }),
        without(['lock incarnations', 'fence incarnations'], take),
      )
      expect(taken).toMatchObject({ kind: 'committed', value: { kind: 'taken' } })
      expect([first, ...verdictsOf(committed)]).toEqual(['R', 'appended'])
    })

    test('without that lock alone, the fence still waits for the commit: it changes the same row', async () => {
      const { scene, take } = await aTakeover()
      const [committed, taken, first] = await inOrder(
        'LRRRL',
        transactions.commit({ cluster: scene.cluster, input: aFlush(scene, 2, [{ offsets: 3 }]) }),
        without(['lock incarnations'], take),
      )
      expect(taken).toMatchObject({ kind: 'committed', value: { kind: 'taken' } })
      expect([first, ...verdictsOf(committed)]).toEqual(['L', 'appended'])
    })

    for (const cut of ['messages', 'statements'] as const)
      describe(`cut between ${cut}`, () => {
        const cutUp = <T>(body: Body<T>): Body<T> => (cut === 'messages' ? body : statementByStatement(body))

        test('a commit is either before the successor registered, and known to it, or rejected', async () => {
          for (const order of orders(cut === 'messages' ? [2, 3] : [7, 7])) {
            const scene = await aScene()
            const [committed, successor, first] = await inOrder(
              order,
              cutUp(transactions.commit({ cluster: scene.cluster, input: aFlush(scene, 2, [{ offsets: 3 }]) })),
              cutUp(transactions.register({ cluster: scene.cluster, input: anAgent('me', 'all') })),
            )
            expect(successor, order).toMatchObject({ kind: 'committed' })
            const before = first === 'L'
            expect(kindOf(committed), order).toBe(before ? 'committed' : 'fenced')
            expect(await highWatermark(scene), order).toBe(before ? 5 : 2)
            // In either order, no commit of the predecessor lands after the registration.
            expect(await scene.store.log.commit(aFlush(scene, before ? 3 : 2, [{}])), order).toEqual({ kind: 'fenced' })
          }
        })

        test('a commit is either before the deletion of its topic or rejected', async () => {
          for (const order of orders(cut === 'messages' ? [2, 2] : [7, 4])) {
            const scene = await aScene()
            const [committed, deleted, first] = await inOrder(
              order,
              cutUp(transactions.commit({ cluster: scene.cluster, input: aFlush(scene, 2, [{ offsets: 3 }]) })),
              cutUp(transactions.deleteTopic({ cluster: scene.cluster, input: { topicId: scene.topic.topicId, unsure: false } })),
            )
            expect(deleted, order).toEqual({ kind: 'committed', value: 'deleted' })
            const [row] = await postgres.query<{ next_offset: number; deleted: boolean }>(
              `SELECT p.next_offset, t.deleted_at_ms IS NOT NULL AS deleted FROM lks.partitions p JOIN lks.topics t USING (cluster, topic_id)
              WHERE t.topic_id = $1 AND p.partition = 0`,
              [scene.topic.topicId],
            )
            const before = first === 'L'
            expect(verdictsOf(committed), order).toEqual([before ? 'appended' : 'UNKNOWN_TOPIC_ID'])
            expect([Number(row?.next_offset), row?.deleted], order).toEqual([before ? 5 : 2, true])
          }
        })

        test('the commits of two agents, with one Idempotency-Key, append once', async () => {
          for (const order of orders(cut === 'messages' ? [3, 3] : [9, 9])) {
            const scene = await aScene()
            const other = (await registered(scene.store, 'other')).incarnation
            await handAllButTheFirstTo(scene, other.id)
            const idempotency = { key: randomUUID(), bodyHash: 'same', timestamp: 5 }
            const mine = aFlush(scene, 2, [{ idempotency, offsets: 3 }])
            const theirs = { ...aFlush(scene, 1, [{ idempotency, offsets: 3, partition: 1 }]), incarnation: other }
            const [one, two] = await inOrder(
              order,
              cutUp(transactions.commit({ cluster: scene.cluster, input: mine })),
              cutUp(transactions.commit({ cluster: scene.cluster, input: theirs })),
            )
            expect([one, two].flatMap(verdictsOf).toSorted(), order).toEqual(['appended', 'duplicate'])
            expect(((await highWatermark(scene)) ?? 0) + ((await highWatermark(scene, 1)) ?? 0), order).toBe(5)
          }
        })

        test('the same commit twice, as after a lost answer, is one commit', async () => {
          for (const order of orders(cut === 'messages' ? [2, 3] : [7, 8])) {
            const scene = await aScene()
            const input = aFlush(scene, 2, [{ offsets: 3 }, { partition: 1 }])
            const [one, two] = await inOrder(
              order,
              cutUp(transactions.commit({ cluster: scene.cluster, input })),
              cutUp(transactions.commit({ cluster: scene.cluster, input })),
            )
            expect(kindOf(one), order).toBe('committed')
            expect(two, order).toEqual(one)
            expect(await highWatermark(scene), order).toBe(5)
          }
        })

        test('an agent that leaves while it commits has either committed or not', async () => {
          for (const order of orders(cut === 'messages' ? [2, 2] : [7, 3])) {
            const scene = await aScene()
            const [committed, gone, first] = await inOrder(
              order,
              cutUp(transactions.commit({ cluster: scene.cluster, input: aFlush(scene, 2, [{ offsets: 3 }]) })),
              cutUp(transactions.leave({ cluster: scene.cluster, input: scene.me.incarnation })),
            )
            expect(gone.kind, order).toBe('committed')
            expect(await highWatermark(scene), order).toBe(first === 'L' ? 5 : 2)
            expect(kindOf(committed), order).toBe(first === 'L' ? 'committed' : 'fenced')
          }
        })

        test('a commit is either before another agent took the slots of its own, or fenced', async () => {
          for (const order of orders(cut === 'messages' ? [2, 3] : [7, 7])) {
            const scene = await aScene()
            const other = (await registered(scene.store, 'other')).incarnation
            const silent = await scene.store.members.leases()
            const [committed, taken, first] = await inOrder(
              order,
              cutUp(transactions.commit({ cluster: scene.cluster, input: aFlush(scene, 2, [{ offsets: 3 }]) })),
              cutUp(transactions.takeSlots({ cluster: scene.cluster, input: { incarnation: other, silent } })),
            )
            expect(taken, order).toMatchObject({ kind: 'committed', value: { kind: 'taken', fenced: [{ agent: 'me' }] } })
            expect(await highWatermark(scene), order).toBe(first === 'L' ? 5 : 2)
            expect(kindOf(committed), order).toBe(first === 'L' ? 'committed' : 'fenced')
          }
        })

        test('a commit is either before its slot was given, and under the epoch of the giver, or rejected; the receiver goes on after it', async () => {
          for (const order of orders(cut === 'messages' ? [2, 2] : [7, 4])) {
            const scene = await aScene()
            const other = (await registered(scene.store, 'other')).incarnation
            const gifts = [{ slot: slotOfPartition(scene.topic.topicId, 0, scene.cluster.slots), to: other.id }]
            const [committed, given, first] = await inOrder(
              order,
              cutUp(transactions.commit({ cluster: scene.cluster, input: aFlush(scene, 2, [{ offsets: 3 }]) })),
              cutUp(transactions.giveSlots({ cluster: scene.cluster, input: { incarnation: scene.me.incarnation, gifts } })),
            )
            expect(given, order).toMatchObject({ kind: 'committed', value: { kind: 'given', given: 1 } })
            expect(verdictsOf(committed), order).toEqual([first === 'L' ? 'appended' : 'NOT_LEADER_OR_FOLLOWER'])
            expect(await highWatermark(scene), order).toBe(first === 'L' ? 5 : 2)
            const { slots } = scene.me
            const epoch = 1 + (slots.find(({ slot }) => slot === gifts[0]?.slot)?.epoch ?? 0)
            const [batch] = aFlush(scene, 1, [{}]).batches
            const next = { ...aFlush(scene, 1, [{}]), incarnation: other, batches: [{ ...must(batch, 'a batch'), epoch }] }
            expect(await scene.store.log.commit(next), order).toMatchObject({
              kind: 'committed',
              result: { verdicts: [{ kind: 'appended' }] },
            })
          }
        })

        test('a slot is given by its owner, or taken after the owner was fenced, and never both', async () => {
          for (const order of orders(cut === 'messages' ? [2, 3] : [4, 7])) {
            const scene = await aScene()
            const other = (await registered(scene.store, 'other')).incarnation
            const third = (await registered(scene.store, 'third')).incarnation
            const silent = (await scene.store.members.leases()).filter(({ agent }) => agent === 'me')
            const before = await scene.store.members.slots()
            const gifts = [{ slot: 0, to: third.id }]
            const [given, , first] = await inOrder(
              order,
              cutUp(transactions.giveSlots({ cluster: scene.cluster, input: { incarnation: scene.me.incarnation, gifts } })),
              cutUp(transactions.takeSlots({ cluster: scene.cluster, input: { incarnation: other, silent } })),
            )
            const after = await scene.store.members.slots()
            expect(given, order).toMatchObject({ value: { kind: first === 'L' ? 'given' : 'fenced' } })
            expect(
              after.map(({ owner }) => owner),
              order,
            ).toEqual(before.map(({ slot }) => (slot === 0 && first === 'L' ? third.id : other.id)))
            expect(
              after.map(({ epoch }) => epoch),
              order,
            ).toEqual(before.map(({ epoch }) => epoch + 1))
          }
        })

        test('nothing is given to an agent that has left', async () => {
          for (const order of orders(cut === 'messages' ? [2, 2] : [4, 4])) {
            const scene = await aScene()
            const other = (await registered(scene.store, 'other')).incarnation
            const gifts = [{ slot: 0, to: other.id }]
            await inOrder(
              order,
              cutUp(transactions.giveSlots({ cluster: scene.cluster, input: { incarnation: scene.me.incarnation, gifts } })),
              cutUp(transactions.leave({ cluster: scene.cluster, input: other })),
            )
            const owners = new Set((await scene.store.members.slots()).map(({ owner }) => owner))
            expect(owners, order).toEqual(new Set([scene.me.incarnation.id]))
          }
        })

        test('of two agents that find each other silent, one fences the other', async () => {
          for (const order of orders(cut === 'messages' ? [3, 3] : [6, 6])) {
            const scene = await aScene()
            const other = (await registered(scene.store, 'other')).incarnation
            const silent = await scene.store.members.leases()
            const take = (incarnation: Incarnation): ReturnType<typeof transactions.takeSlots> =>
              transactions.takeSlots({ cluster: scene.cluster, input: { incarnation, silent } })
            await inOrder(order, cutUp(take(scene.me.incarnation)), cutUp(take(other)))
            const [left, ...more] = await scene.store.members.leases()
            expect(more, order).toEqual([])
            expect(new Set((await scene.store.members.slots()).map(({ owner }) => owner)), order).toEqual(new Set([left?.incarnation]))
          }
        })

        test('two growths of a topic never give the same log twice', async () => {
          for (const order of orders(cut === 'messages' ? [2, 2] : [3, 3])) {
            const scene = await aScene()
            const grow = (partitions: number): ReturnType<typeof transactions.growTopic> =>
              transactions.growTopic({
                cluster: scene.cluster,
                input: { topicId: scene.topic.topicId, partitions, dryRun: false, unsure: false },
              })
            await inOrder(order, cutUp(grow(4)), cutUp(grow(6)))
            const states = await scene.store.log.partitions(
              [0, 1, 2, 3, 4, 5].map((partition) => ({ topicId: scene.topic.topicId, partition })),
            )
            expect(new Set(states.map((state) => state?.logId)).size, order).toBe(6)
          }
        })

        test('of two jobs that replace the same segment, a swap or a skip, one does', async () => {
          for (const rival of ['swap', 'skip'] as const)
            for (const order of orders(cut === 'messages' ? [3, 3] : [7, rival === 'swap' ? 7 : 6])) {
              const scene = await aScene()
              const { store, topic, cluster } = scene
              const place = { topicId: topic.topicId, partition: 0 }
              const found = async (): Promise<readonly Segment[]> => {
                const [segments] = await store.log.find([{ ...place, offset: 0, maxBytes: 1e6, maxSegments: 9 }])
                return segments?.kind === 'found' ? segments.segments : []
              }
              const sources = await found()
              const swap = async (job: string): Promise<SwapSegments> => ({
                incarnation: await store.swaps.beginJob({ job, nonce: aNonce() }),
                sequence: 1,
                object: { sizeBytes: 100, checksum: 1 },
                logs: [{ ...place, sources, segments: [{ baseOffset: 0, lastOffset: 1, byteStart: 56, sizeBytes: 40, maxTimestamp: 1 }] }],
              })
              const [mine, theirs] = [await swap('mine'), await swap('theirs')]
              const skip = { ...place, segment: must(sources[0], 'a segment'), offset: 0, lastOffset: 1, kept: [], reason: 'damaged' }
              const [one, two] = await inOrder(
                order,
                cutUp(transactions.swapSegments({ cluster, input: mine })),
                cutUp<string>(
                  rival === 'swap'
                    ? transactions.swapSegments({ cluster, input: theirs })
                    : transactions.skipDamage({ cluster, input: skip }),
                ),
              )
              const values = [one, two].map((outcome) => (outcome.kind === 'committed' ? outcome.value : outcome.error.message))
              expect(
                values.filter((value) => value === 'changed'),
                order,
              ).toHaveLength(1)
              const sizeBytes = values[0] === 'swapped' || rival === 'swap' ? 40 : 0
              expect(await found(), order).toMatchObject([{ baseOffset: 0, lastOffset: 1, sizeBytes }])
            }
        })

        /** The situation after a hand-over, except for the epochs. */
        async function handAllButTheFirstTo({ cluster, topic }: Scene, owner: number): Promise<void> {
          const first = slotOfPartition(topic.topicId, 0, cluster.slots)
          await postgres.query('UPDATE lks.slots SET owner = $2 WHERE cluster = $1 AND slot <> $3', [cluster.number, owner, first])
        }
      })
  },
)

interface Scene {
  readonly store: OpenedMetadata
  readonly me: Registration
  readonly topic: Topic
  readonly cluster: Cluster
}

function aFlush(scene: Scene, sequence: number, batches: readonly Partial<CommitBatch>[]): CommitTransaction {
  return { ...aCommitIn(scene, sequence, batches), segmentBytes: defaultLimits.segmentBytes }
}

/** A body that stops before each of its messages. */
class Stepped<T> {
  readonly outcome: Promise<TransactionOutcome<T>>
  readonly #waits: () => Promise<boolean>
  #resume: (() => void) | undefined
  #done = false

  constructor(client: PoolClient, body: Body<T>, { waits, onEnd }: { readonly waits: () => Promise<boolean>; readonly onEnd: () => void }) {
    this.#waits = waits
    const pause = (): Promise<void> => new Promise((resolve) => (this.#resume = resolve))
    this.outcome = transact(client, body, { deadlineMs: 20_000, pause }).then(({ outcome }) => {
      this.#done = true
      onEnd()
      return outcome
    })
  }

  get done(): boolean {
    return this.#done
  }

  /** Sends the next message, unless the last one still waits for a lock; then waits until the body stops again, ends, or blocks. */
  async step(): Promise<void> {
    this.#resume?.()
    this.#resume = undefined
    while (this.#resume === undefined && !this.#done) if (await this.#waits()) return
  }
}

/** The same body with one message for each statement: its guarantees must not depend on which statements travel together. */
function* statementByStatement<T>(body: Body<T>): Body<T> {
  let step = body.next([])
  while (!step.done) {
    const rows: (readonly Row[])[] = []
    for (const call of step.value) rows.push(...(yield [call] satisfies readonly Call[]))
    step = body.next(rows)
  }
  return step.value
}

/** A body with a planted bug: the named statements do not run, as those over an empty list do not. */
function* without<T>(names: readonly string[], body: Body<T>): Body<T> {
  const planted = (call: Call): Call => (names.includes(call.statement.name) ? { ...call, rows: [] } : call)
  let step = body.next([])
  while (!step.done) step = body.next(yield step.value.map(planted))
  return { ...step.value, writes: step.value.writes.map(planted) }
}

const samples = 24

/** All orders of the given numbers of left and right messages; an evenly spaced sample when there are very many. */
function orders([lefts, rights]: readonly [number, number]): readonly string[] {
  const all = interleaved(lefts, rights)
  const every = Math.max(1, all.length / samples)
  return Array.from({ length: Math.ceil(all.length / every) }, (_, index) => all[Math.floor(index * every)] ?? '')
}

function interleaved(lefts: number, rights: number): readonly string[] {
  if (lefts === 0 || rights === 0) return ['L'.repeat(lefts) + 'R'.repeat(rights)]
  return [...interleaved(lefts - 1, rights).map((rest) => `L${rest}`), ...interleaved(lefts, rights - 1).map((rest) => `R${rest}`)]
}

function kindOf(outcome: TransactionOutcome<CommitDecision>): string {
  return outcome.kind === 'committed' ? outcome.value.kind : `${outcome.kind}: ${outcome.error.message}`
}

function verdictsOf(outcome: TransactionOutcome<CommitDecision>): readonly string[] {
  if (outcome.kind !== 'committed' || outcome.value.kind !== 'committed') return [kindOf(outcome)]
  return outcome.value.result.verdicts.map((verdict) => (verdict.kind === 'rejected' ? verdict.reason : verdict.kind))
}
