// The worker of SQLite, except that it exits when it receives a request for the slots or a checkpoint.
import { parentPort } from 'node:worker_threads'
import type { ToWorker } from '../sqlite-worker.ts'

parentPort?.on('message', (message: ToWorker) => {
  if (message?.transaction === 'listSlots' || message?.transaction === 'checkpoint') process.exit(1)
})
await import('../sqlite-worker.ts')
