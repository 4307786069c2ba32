// The server that Jest's globalSetup has started. Jest loads setup and teardown separately, so they share it through the process.
import type { Kafka } from '../index.ts'

interface Shared {
  kafka: Kafka | undefined
}

const key = Symbol.for('local-kafka-service.jest')
// The cast: only this module writes under this symbol.
const inProcess = globalThis as { [key]?: Shared }

export const shared: Shared = (inProcess[key] ??= { kafka: undefined })
