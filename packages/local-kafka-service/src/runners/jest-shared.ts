// The server that Jest's globalSetup has started: Jest loads setup and teardown by themselves, what they share is in the process.
import type { Kafka } from '../index.ts'

interface Shared {
  kafka: Kafka | undefined
}

const key = Symbol.for('local-kafka-service.jest')
// The cast: nobody else writes under this symbol.
const inProcess = globalThis as { [key]?: Shared }

export const shared: Shared = (inProcess[key] ??= { kafka: undefined })
