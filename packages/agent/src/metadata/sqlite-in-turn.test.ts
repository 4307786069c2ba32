// What SQLite in two threads does beyond the contract: order, locks of others, and a log that is moved into the database however many commits there are.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { limits } from '../limits.ts'
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

/** As many as ask for a checkpoint, without a pause. */
async function commitsUntilCheckpoint(chain: CommittingChain): Promise<void> {
  for (let done = 0; done < limits.batchesPerCheckpoint; done += limits.batchesInTurn + 1)
    expect((await chain.commit(limits.batchesInTurn)).kind).toBe('committed')
}

test('a small commit is done in the turn that asks for it', async () => {
  const chain = await aChain()
  const other = new DatabaseSync(path)
  const commit = chain.commit(limits.batchesInTurn)
  expect(other.prepare('SELECT next_offset AS "nextOffset" FROM partitions').get()).toEqual({ nextOffset: limits.batchesInTurn })
  other.close()
  expect((await commit).kind).toBe('committed')
})

test("a large commit is the thread's", async () => {
  const chain = await aChain(new URL('./testing/worker-that-dies-of-commits.ts', import.meta.url))
  expect((await chain.commit(limits.batchesInTurn)).kind).toBe('committed')
  expect((await chain.commit(limits.batchesInTurn + 1)).kind).toBe('unknown')
  // The next thread lives until it is asked for a commit.
  expect(await chain.highWatermark()).toBe(limits.batchesInTurn)
})

test('a commit does not overtake what was asked before it', async () => {
  const chain = await aChain()
  const [topic] = await chain.store.topics.list()
  const deleted = chain.store.topics.delete(topic?.topicId ?? '')
  expect(await chain.commit()).toMatchObject({ result: { verdicts: [{ kind: 'refused', reason: 'UNKNOWN_TOPIC_ID' }] } })
  expect(await deleted).toBe('deleted')
})

test('while somebody else holds the database, a commit waits, and the event loop does not', async () => {
  const chain = await aChain()
  const other = new DatabaseSync(path)
  other.exec('BEGIN IMMEDIATE')
  const commit = chain.commit()
  // It is this very thread that ends what the commit waits for.
  other.exec('ROLLBACK')
  other.close()
  expect((await commit).kind).toBe('committed')
  expect(await chain.highWatermark()).toBe(1)
})

test('commits that never pause keep no checkpoint from its turn: the log begins anew again and again', async () => {
  const chain = await aChain()
  await commitsUntilCheckpoint(chain)
  await chain.highWatermark() // behind the checkpoint
  const once = await logBytes()
  for (let round = 0; round < 4; round++) await commitsUntilCheckpoint(chain)
  await chain.highWatermark()
  expect(await logBytes()).toBeLessThan(once * 2)
  expect(notices).toEqual([])
})

test('a reader elsewhere keeps the log, but no commit waits for him, and once he is gone the log is moved', async () => {
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

test('a reader elsewhere who does not end is told of once, and again when it happens again', async () => {
  const chain = await aChain()
  for (let told = 1; told <= 2; told++) {
    const reader = new DatabaseSync(path)
    reader.exec('BEGIN')
    reader.prepare('SELECT count(*) FROM partitions').get()
    while (notices.length < told) await commitsUntilCheckpoint(chain)
    for (let round = 0; round < limits.heldCheckpoints; round++) await commitsUntilCheckpoint(chain)
    await chain.highWatermark()
    expect(notices).toEqual(Array.from({ length: told }, () => expect.stringContaining('has been reading')))
    reader.exec('COMMIT')
    reader.close()
    // The first may have been asked for while the reader was there.
    for (let round = 0; round < 2; round++) await commitsUntilCheckpoint(chain)
    await chain.highWatermark()
  }
})

test('a thread that dies over a checkpoint is told of, and followed by another; no commit is lost by it', async () => {
  const chain = await aChain(new URL('./testing/dying-worker.ts', import.meta.url))
  await commitsUntilCheckpoint(chain)
  // Behind the dying thread its fate is not known, so it is tried again.
  while ((await chain.commit()).kind !== 'committed');
  expect(notices).toEqual([expect.stringContaining('thread ended')])
  const rounds = Math.ceil(limits.batchesPerCheckpoint / (limits.batchesInTurn + 1))
  expect(await chain.highWatermark()).toBe(rounds * limits.batchesInTurn + 1)
})

test('what was committed in turn is there after closing and opening, and after closing nothing is run', async () => {
  const chain = await aChain()
  for (let done = 0; done < 10; done++) await chain.commit()
  await chain.store.close()
  expect(await chain.commit()).toMatchObject({ kind: 'rolled back' })
  const sql = await openSqliteInTurn({ path, onNotice: (message) => notices.push(message) })
  const other = new DatabaseSync(path)
  expect(other.prepare('SELECT next_offset AS "nextOffset" FROM partitions').get()).toEqual({ nextOffset: 10 })
  other.close()
  await sql.close()
})

test('what cannot be opened is told apart at the start', async () => {
  const opening = openSqliteInTurn({ path: join(directory, 'no/such/metadata.db'), onNotice: () => {} })
  await expect(opening).rejects.toMatchObject({ name: 'MetadataError', reason: 'permission' })
})

test.skipIf(process.platform === 'win32')('a file that cannot grow: what was answered as committed is there', async () => {
  const script = fileURLToPath(new URL('./testing/filling-disk-in-turn.ts', import.meta.url))
  const command = ['-c', 'ulimit -f 900; exec "$@"', 'sh', process.execPath, '--conditions=lks-source', script, path]
  const { stdout } = await promisify(execFile)('sh', command)
  const { kinds, committed, highWatermark } = JSON.parse(stdout) as FilledInTurn
  expect(committed).toBeGreaterThan(0)
  expect((kinds['unknown'] ?? 0) + (kinds['rolled back'] ?? 0)).toBeGreaterThan(0)
  // The last try may have been stored without an answer.
  expect([committed, committed + 1]).toContain(highWatermark)
})
