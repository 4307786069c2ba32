// Jest's globalSetup: one server for all workers, which find it through their environment (KAFKA_BROKERS, KAFKA_BOOTSTRAP_SERVERS, LKS_URL).
import { startKafka } from '../index.ts'
import { shared } from './jest-shared.ts'

/** Jest calls it before the first test, and again before each run in watch mode. */
export default async function setup(): Promise<void> {
  await shared.kafka?.stop()
  shared.kafka = await startKafka({ http: true })
  Object.assign(process.env, shared.kafka.env)
}
