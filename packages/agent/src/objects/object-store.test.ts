// Runs the contract on every store and through every wrapper.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32c } from '@local-kafka-service/protocol'
import { ManualClock, runningClock, steadyRandom } from '../time/testing/manual-clock.ts'
import { DirectoryObjects } from './adapters/directory.ts'
import { MemoryObjects } from './adapters/memory.ts'
import { openS3 } from './adapters/s3.ts'
import { openVolumes } from './adapters/volumes/open-volumes.ts'
import { type ContractStore, objectStoreContract } from './object-store.contract.ts'
import { type S3Fault, type S3ServerOptions, startS3Server } from './testing/s3-server.ts'
import { CachedObjects } from './wrappers/cached.ts'
import { delayedObjects } from './wrappers/delayed.ts'
import { interceptedObjects } from './wrappers/intercepted.ts'
import { MeasuredObjects } from './wrappers/measured.ts'
import { RetryingObjects } from './wrappers/retrying.ts'
import { SharedObjects } from './wrappers/shared.ts'

objectStoreContract('memory', async () => ({ store: new MemoryObjects() }))

for (const durability of ['os', 'strict'] as const)
  objectStoreContract(`directory, ${durability}`, async () => {
    const root = await mkdtemp(join(tmpdir(), 'lks-objects-'))
    return {
      store: new DirectoryObjects(join(root, 'made/on/the/way'), { durability }),
      dispose: () => rm(root, { recursive: true }),
    }
  })

for (const durability of ['os', 'strict'] as const)
  objectStoreContract(`volumes in a directory, ${durability}`, async () => {
    const root = await mkdtemp(join(tmpdir(), 'lks-objects-'))
    return {
      store: openVolumes(join(root, 'made/on/the/way'), {
        durability,
        crc32c,
        random: steadyRandom(),
        clock: new ManualClock(),
        emit: () => {},
      }),
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
objectStoreContract('an S3 with the required features only', () =>
  onS3({ conditionalWrites: 'refused', bulkDelete: 'wants Content-MD5', ranges: 'ignored', checksumHeaders: 'refused' }),
)

objectStoreContract('memory, cached', async () => ({
  store: new CachedObjects(new MemoryObjects(), { maxBytes: 1 << 20, blockBytes: 4 }),
  keepsBodies: true,
}))
objectStoreContract('memory, cached with a budget of 0', async () => ({ store: new CachedObjects(new MemoryObjects(), { maxBytes: 0 }) }))
objectStoreContract('memory, measured', async () => ({ store: new MeasuredObjects(new MemoryObjects(), new ManualClock()) }))
objectStoreContract('memory, intercepted', async () => ({
  store: interceptedObjects(new MemoryObjects(), new ManualClock(), () => ({ act: { kind: 'pass' } })),
}))
objectStoreContract('memory, delayed', async () => {
  const { clock, stop } = runningClock()
  return { store: delayedObjects(new MemoryObjects(), clock, { latencyMs: 100 }), dispose: async () => stop() }
})
objectStoreContract('memory, retrying and hedging', async () => ({
  store: new RetryingObjects(
    new MemoryObjects(),
    { clock: new ManualClock(), random: steadyRandom() },
    { deadlineMs: 1000, attemptMs: 100, firstPauseMs: 1, maxPauseMs: 10, hedgeAfterMs: 50 },
  ),
}))

objectStoreContract('a fork of one in memory', async () => ({ store: new MemoryObjects().fork() }))
objectStoreContract('a fork over another store', async () => ({ store: new SharedObjects(new MemoryObjects()).fork() }))
objectStoreContract('a fork of a fork', async () => ({ store: new SharedObjects(new MemoryObjects()).fork().fork() }))
objectStoreContract('memory, shared with a fork that lives', async () => {
  const store = new SharedObjects(new MemoryObjects())
  const fork = store.fork()
  return { store, dispose: () => fork.close() }
})

objectStoreContract('S3 under every wrapper, failing now and then', async () => {
  let requests = 0
  // Every third request fails once, before or after it was applied.
  const fault = (): S3Fault | undefined => {
    requests += 1
    if (requests % 3 !== 0) return undefined
    return { kind: 'answer', status: 503, code: 'SlowDown', when: requests % 2 === 0 ? 'before' : 'after' }
  }
  const s3 = await onS3({ fault, conditionalWrites: 'refused' })
  const clock = new ManualClock()
  const policy = { deadlineMs: 60_000, attemptMs: 30_000, firstPauseMs: 0, maxPauseMs: 0 }
  const pauses = new AbortController()
  void pausesEnd(clock, pauses.signal)
  return {
    store: new CachedObjects(new RetryingObjects(new MeasuredObjects(s3.store, clock), { clock, random: steadyRandom() }, policy), {
      maxBytes: 1 << 20,
    }),
    keepsBodies: true,
    async dispose() {
      pauses.abort()
      await s3.dispose?.()
    },
  }
})

/** Fires the timers that are due at once, but no time-out. */
async function pausesEnd(clock: ManualClock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await clock.advance(0)
}
