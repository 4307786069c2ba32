// What a user writes who requires: compiled by every promised version of TypeScript.
import service = require('local-kafka-service')

const options: service.StartKafkaOptions = { port: 0 }

async function use(): Promise<string> {
  const kafka: service.Kafka = await service.startKafka(options)
  await kafka.stop()
  return kafka.bootstrapServers
}

void use().catch((error: unknown) => error instanceof service.UserError && error.code)

// @ts-expect-error: there is no such option
void service.startKafka({ prot: 1 })
