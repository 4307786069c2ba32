// The worker of SQLite, but that it dies when it is asked for a commit.
import { parentPort } from 'node:worker_threads'
import type { ToWorker } from '../sqlite-worker.ts'

parentPort?.on('message', (message: ToWorker) => {
  if (message?.transaction === 'commit') process.exit(1)
})
await import('../sqlite-worker.ts')
