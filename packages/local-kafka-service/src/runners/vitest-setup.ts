// Vitest's globalSetup: one server for all workers, told to them by `inject('kafka')` and by their environment.
import { type Kafka, startKafka } from '../index.ts'

/** What reaches the workers. */
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

/** Called by Vitest before the first test. Also sets KAFKA_BROKERS, KAFKA_BOOTSTRAP_SERVERS and LKS_URL. */
export async function setup({ provide }: { readonly provide: (key: 'kafka', value: SharedKafka) => void }): Promise<void> {
  kafka = await startKafka({ http: true })
  const { bootstrapServers, brokers, urls, env } = kafka
  if (urls === undefined) throw new RangeError('a server with HTTP has no URLs')
  Object.assign(process.env, env)
  provide('kafka', { bootstrapServers, brokers, urls })
}

/** Called by Vitest after the last test. */
export async function teardown(): Promise<void> {
  await kafka?.stop()
}
