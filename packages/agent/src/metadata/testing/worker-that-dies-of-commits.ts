// The worker of SQLite, except that it exits when it receives a commit.
import { parentPort } from 'node:worker_threads'
import type { ToWorker } from '../sqlite-worker.ts'

parentPort?.on('message', (message: ToWorker) => {
  if (message?.transaction === 'commit') process.exit(1)
})
await import('../sqlite-worker.ts')
