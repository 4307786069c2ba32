// What a user writes who imports: compiled by every promised version of TypeScript, without Node's types and without the newest lib.
import { decodeRequest, decodeRequestHeader, Produce, type ProduceRequest } from '@local-kafka-service/protocol'
import { type Kafka, type KafkaEvent, type StartKafkaOptions, startKafka, UserError, type UserErrorCode } from 'local-kafka-service'

const options: StartKafkaOptions = { port: 0, onEvent: (event: KafkaEvent) => void event.kind }

export async function use(): Promise<string> {
  await using kafka: Kafka = await startKafka(options)
  return kafka.bootstrapServers
}

export function codeOf(error: unknown): UserErrorCode | undefined {
  return error instanceof UserError ? error.code : undefined
}

export function topicsOf(frame: Uint8Array): readonly string[] {
  const { apiVersion, bodyAt } = decodeRequestHeader(frame)
  const request: ProduceRequest = decodeRequest(Produce, apiVersion, frame, bodyAt)
  return request.topicData.map(({ name }) => name)
}

// @ts-expect-error: there is no such option
void startKafka({ prot: 1 })
