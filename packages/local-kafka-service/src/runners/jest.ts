// Jest's globalSetup: one server for all workers, told to them by their environment (KAFKA_BROKERS, KAFKA_BOOTSTRAP_SERVERS, LKS_URL).
import { startKafka } from '../index.ts'
import { shared } from './jest-shared.ts'

/** Called by Jest before the first test, and again before each run of its watch mode. */
export default async function setup(): Promise<void> {
  await shared.kafka?.stop()
  shared.kafka = await startKafka({ http: true })
  Object.assign(process.env, shared.kafka.env)
}
