// Vitest's globalSetup: one server for all workers, which find it through `inject('kafka')` and their environment.
import { type Kafka, startKafka } from '../index.ts'

/** The values provided to the workers. */
export interface SharedKafka {
  readonly bootstrapServers: string
  readonly brokers: string[]
  readonly urls: { readonly control: string; readonly data: string }
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly kafka: SharedKafka
  }
}

let kafka: Kafka | undefined

/** Vitest calls it before the first test. It also sets KAFKA_BROKERS, KAFKA_BOOTSTRAP_SERVERS and LKS_URL. */
export async function setup({ provide }: { readonly provide: (key: 'kafka', value: SharedKafka) => void }): Promise<void> {
  kafka = await startKafka({ http: true })
  const { bootstrapServers, brokers, urls, env } = kafka
  if (urls === undefined) throw new RangeError('a server with HTTP has no URLs')
  Object.assign(process.env, env)
  provide('kafka', { bootstrapServers, brokers, urls })
}

/** Vitest calls it after the last test. */
export async function teardown(): Promise<void> {
  await kafka?.stop()
}
