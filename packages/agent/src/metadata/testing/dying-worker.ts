// The worker of SQLite, but that it dies when it is asked to list the slots, or for a checkpoint.
import { parentPort } from 'node:worker_threads'
import type { ToWorker } from '../sqlite-worker.ts'

parentPort?.on('message', (message: ToWorker) => {
  if (message?.transaction === 'listSlots' || message?.transaction === 'checkpoint') process.exit(1)
})
await import('../sqlite-worker.ts')
