// SQLite in two threads beyond the contract: order, locks of other processes, and a write-ahead log that is checkpointed however many commits there are.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fixedLimits } from '../limits.ts'
import { openSqliteInTurn } from './sqlite-in-turn.ts'
import { type CommittingChain, committingChain } from './testing/committing-chain.ts'
import type { FilledInTurn } from './testing/filling-disk-in-turn.ts'

let directory: string
let path: string
let notices: string[]
let open: CommittingChain[]
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lks-sqlite-'))
  path = join(directory, 'metadata.db')
  notices = []
  open = []
})
afterEach(async () => {
  for (const { store } of open) await store.close()
  await rm(directory, { recursive: true })
})

async function aChain(worker?: URL): Promise<CommittingChain> {
  const chain = await committingChain(await openSqliteInTurn({ path, onNotice: (message) => notices.push(message) }, worker))
  open.push(chain)
  return chain
}

async function logBytes(): Promise<number> {
  return (await stat(`${path}-wal`)).size
}

/** Enough commits to start a checkpoint, without a pause. */
async function commitsUntilCheckpoint(chain: CommittingChain): Promise<void> {
  for (let done = 0; done < fixedLimits.partitionsPerCheckpoint; done += fixedLimits.partitionsInTurn + 1)
    expect((await chain.commit({ partitions: fixedLimits.partitionsInTurn })).kind).toBe('committed')
}

test.each([
  { batchesInEach: fixedLimits.batchesInTurn },
  { partitions: fixedLimits.partitionsInTurn, batchesInEach: fixedLimits.batchesInTurn / fixedLimits.partitionsInTurn },
])('a commit of few partitions is done in the turn that asks for it: %o', async (size) => {
  const chain = await aChain()
  const other = new DatabaseSync(path)
  const commit = chain.commit(size)
  expect(other.prepare('SELECT sum(next_offset) AS records FROM partitions').get()).toEqual({ records: fixedLimits.batchesInTurn })
  other.close()
  expect((await commit).kind).toBe('committed')
})

test('a look-up of few segments is done in the turn that asks for it', async () => {
  const chain = await aChain()
  await chain.commit()
  const [topic] = await chain.store.topics.list()
  const other = new DatabaseSync(path)
  const ask = { topicId: topic?.topicId ?? '', partition: 0, offset: 0, maxBytes: 1e6, maxSegments: fixedLimits.segmentsInTurn }
  const found = chain.store.log.find([ask])
  other.exec('DELETE FROM segments')
  other.close()
  expect(await found).toMatchObject([{ segments: [{ lastOffset: 0 }] }])
})

test.each([{ batchesInEach: fixedLimits.batchesInTurn + 1 }, { partitions: fixedLimits.partitionsInTurn + 1 }])(
  'a large commit runs in the thread: %o',
  async (size) => {
    const chain = await aChain(new URL('./testing/worker-that-dies-of-commits.ts', import.meta.url))
    expect((await chain.commit()).kind).toBe('committed')
    expect((await chain.commit(size)).kind).toBe('unknown')
    // This worker lives until it receives a commit.
    expect(await chain.highWatermark()).toBe(1)
  },
)

test('a commit does not overtake an earlier request', async () => {
  const chain = await aChain()
  const [topic] = await chain.store.topics.list()
  const deleted = chain.store.topics.delete(topic?.topicId ?? '')
  expect(await chain.commit()).toMatchObject({ result: { verdicts: [{ kind: 'rejected', reason: 'UNKNOWN_TOPIC_ID' }] } })
  expect(await deleted).toBe('deleted')
})

test('a commit does not wait for an earlier request that only reads', async () => {
  const chain = await aChain()
  await chain.commit()
  const listed = chain.store.topics.list()
  const commit = chain.commit()
  const other = new DatabaseSync(path)
  // Committed before the thread can have answered: this turn has not ended.
  expect(other.prepare('SELECT sum(next_offset) AS records FROM partitions').get()).toEqual({ records: 2 })
  other.close()
  expect((await commit).kind).toBe('committed')
  expect(await listed).toHaveLength(1)
})

test('while another process holds the database, a commit waits, and the event loop does not', async () => {
  const chain = await aChain()
  const other = new DatabaseSync(path)
  other.exec('BEGIN IMMEDIATE')
  const commit = chain.commit()
  // This very thread ends the transaction that the commit waits for.
  other.exec('ROLLBACK')
  other.close()
  expect((await commit).kind).toBe('committed')
  expect(await chain.highWatermark()).toBe(1)
})

test('commits without a pause do not starve the checkpoint: the log restarts again and again', async () => {
  const chain = await aChain()
  // Each commit writes more pages until the partitions have some of their own.
  for (let round = 0; round < 3; round++) await commitsUntilCheckpoint(chain)
  await chain.highWatermark() // after the checkpoint
  const before = await logBytes()
  for (let round = 0; round < 4; round++) await commitsUntilCheckpoint(chain)
  await chain.highWatermark()
  expect(await logBytes()).toBeLessThan(before * 2)
  expect(notices).toEqual([])
})

test('a reader elsewhere keeps the log, but no commit waits for it, and once it is gone the log is checkpointed', async () => {
  const chain = await aChain()
  const reader = new DatabaseSync(path)
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM partitions').get()
  await commitsUntilCheckpoint(chain)
  await commitsUntilCheckpoint(chain)
  await chain.highWatermark()
  const kept = await logBytes()
  reader.exec('COMMIT')
  reader.close()
  for (let round = 0; round < 4; round++) await commitsUntilCheckpoint(chain)
  await chain.highWatermark()
  expect(await logBytes()).toBeLessThan(kept * 2)
})

test('a reader elsewhere that does not end is reported once, and once more when it happens again', async () => {
  const chain = await aChain()
  for (let reports = 1; reports <= 2; reports++) {
    const reader = new DatabaseSync(path)
    reader.exec('BEGIN')
    reader.prepare('SELECT count(*) FROM partitions').get()
    while (notices.length < reports) await commitsUntilCheckpoint(chain)
    for (let round = 0; round < fixedLimits.heldCheckpoints; round++) await commitsUntilCheckpoint(chain)
    await chain.highWatermark()
    expect(notices).toEqual(Array.from({ length: reports }, () => expect.stringContaining('has been reading')))
    reader.exec('COMMIT')
    reader.close()
    // The first checkpoint may have begun while the reader was there.
    for (let round = 0; round < 2; round++) await commitsUntilCheckpoint(chain)
    await chain.highWatermark()
  }
})

test('a thread that dies during a checkpoint is reported and replaced; no commit is lost', async () => {
  const chain = await aChain(new URL('./testing/dying-worker.ts', import.meta.url))
  await commitsUntilCheckpoint(chain)
  // Commits after the dying thread have an unknown outcome, so they are repeated.
  while ((await chain.commit()).kind !== 'committed');
  expect(notices).toEqual([expect.stringContaining('thread ended')])
  const rounds = Math.ceil(fixedLimits.partitionsPerCheckpoint / (fixedLimits.partitionsInTurn + 1))
  expect(await chain.highWatermark()).toBe(rounds + 1)
})

test('commits in turn survive closing and opening, and after closing nothing runs', async () => {
  const chain = await aChain()
  for (let done = 0; done < 10; done++) await chain.commit()
  await chain.store.close()
  expect(await chain.commit()).toMatchObject({ kind: 'rolled back' })
  const sql = await openSqliteInTurn({ path, onNotice: (message) => notices.push(message) })
  const other = new DatabaseSync(path)
  expect(other.prepare('SELECT sum(next_offset) AS records FROM partitions').get()).toEqual({ records: 10 })
  other.close()
  await sql.close()
})

test('failures to open have reasons of their own at the start', async () => {
  const opening = openSqliteInTurn({ path: join(directory, 'no/such/metadata.db'), onNotice: () => {} })
  await expect(opening).rejects.toMatchObject({ name: 'MetadataError', reason: 'permission' })
})

test.skipIf(process.platform === 'win32')('a file that cannot grow: every acknowledged commit is there', async () => {
  const script = fileURLToPath(new URL('./testing/filling-disk-in-turn.ts', import.meta.url))
  const command = ['-c', 'ulimit -f 900; exec "$@"', 'sh', process.execPath, '--conditions=lks-source', script, path]
  const { stdout } = await promisify(execFile)('sh', command)
  const { kinds, committed, highWatermark } = JSON.parse(stdout) as FilledInTurn
  expect(committed).toBeGreaterThan(0)
  expect((kinds['unknown'] ?? 0) + (kinds['rolled back'] ?? 0)).toBeGreaterThan(0)
  // The last attempt may have been stored without an answer.
  expect([committed, committed + 1]).toContain(highWatermark)
})
