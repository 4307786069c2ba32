// The worker of the codecs, except that it exits when it receives an empty batch.
import { parentPort } from 'node:worker_threads'
import type { ToCodecThread } from '../codec-thread.ts'

parentPort?.on('message', ({ bytes }: ToCodecThread) => {
  if (bytes.length === 0) process.exit(1)
})
await import('../../codec-worker.ts')
