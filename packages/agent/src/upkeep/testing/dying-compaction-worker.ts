// The worker of log compaction, except that it exits at its first step.
import { parentPort } from 'node:worker_threads'

parentPort?.on('message', () => process.exit(1))
