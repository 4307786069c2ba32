// What a user writes who imports: compiled by every promised version of TypeScript, without the newest lib.
import { type Kafka, type KafkaEvent, type StartKafkaOptions, startKafka, UserError, type UserErrorCode } from 'local-kafka-service'
import { kafkaFor } from 'local-kafka-service/node-test'

const options: StartKafkaOptions = { port: 0, onEvent: (event: KafkaEvent) => void event.kind }

export async function use(): Promise<string> {
  await using kafka: Kafka = await startKafka(options)
  return kafka.bootstrapServers
}

export function codeOf(error: unknown): UserErrorCode | undefined {
  return error instanceof UserError ? error.code : undefined
}

export async function useIn(context: { after(stop: () => Promise<void>): void }): Promise<string> {
  return (await kafkaFor(context, options)).bootstrapServers
}

// @ts-expect-error: there is no such option
void startKafka({ prot: 1 })
