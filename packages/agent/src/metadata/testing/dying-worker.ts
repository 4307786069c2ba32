// The worker of SQLite, but that it dies when it is asked for what stands in its address: `dying-worker.ts?on=checkpoint`.
import { parentPort } from 'node:worker_threads'
import type { ToWorker } from '../sqlite-worker.ts'

const deadly = new URL(import.meta.url).searchParams.get('on')
parentPort?.on('message', (message: ToWorker) => {
  if (message?.verb === deadly) process.exit(1)
})
await import('../sqlite-worker.ts')
