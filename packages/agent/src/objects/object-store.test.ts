// Runs the contract on every store and through every wrapper.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ManualClock, runningClock, steadyRandom } from '../time/testing/manual-clock.ts'
import { CachedObjects } from './cached.ts'
import { DelayedObjects } from './delayed.ts'
import { DirectoryObjects } from './directory.ts'
import { MeasuredObjects } from './measured.ts'
import { MemoryObjects } from './memory.ts'
import { type ContractStore, objectStoreContract } from './object-store.contract.ts'
import { RetryingObjects } from './retrying.ts'
import { openS3 } from './s3.ts'
import { type S3ServerOptions, startS3Server } from './testing/s3-server.ts'

objectStoreContract('memory', async () => ({ store: new MemoryObjects() }))

for (const durability of ['os', 'strict'] as const)
  objectStoreContract(`directory, ${durability}`, async () => {
    const root = await mkdtemp(join(tmpdir(), 'lks-objects-'))
    return {
      store: new DirectoryObjects(join(root, 'made/on/the/way'), { durability }),
      dispose: () => rm(root, { recursive: true }),
    }
  })

async function onS3(options: S3ServerOptions): Promise<ContractStore> {
  const server = await startS3Server(options)
  const { endpoint, bucket, credentials } = server
  return {
    store: await openS3({ endpoint, bucket, credentials, prefix: 'some/prefix' }),
    dispose: async () => await server[Symbol.asyncDispose](),
  }
}

objectStoreContract('S3', () => onS3({ pageKeys: 7 }))
objectStoreContract('an S3 that has no more than it must', () =>
  onS3({ conditionalWrites: 'refused', bulkDelete: 'wants Content-MD5', ranges: 'ignored', checksumHeaders: 'refused' }),
)

objectStoreContract('memory, cached', async () => ({ store: new CachedObjects(new MemoryObjects(), { maxBytes: 1 << 20, blockBytes: 4 }) }))
objectStoreContract('memory, cached without memory', async () => ({ store: new CachedObjects(new MemoryObjects(), { maxBytes: 0 }) }))
objectStoreContract('memory, measured', async () => ({ store: new MeasuredObjects(new MemoryObjects(), new ManualClock()) }))
objectStoreContract('memory, delayed', async () => {
  const { clock, stop } = runningClock()
  return { store: new DelayedObjects(new MemoryObjects(), clock, { latencyMs: 100 }), dispose: async () => stop() }
})
objectStoreContract('memory, retrying and hedging', async () => ({
  store: new RetryingObjects(
    new MemoryObjects(),
    { clock: new ManualClock(), random: steadyRandom() },
    { deadlineMs: 1000, attemptMs: 100, firstPauseMs: 1, maxPauseMs: 10, hedgeAfterMs: 50 },
  ),
}))
