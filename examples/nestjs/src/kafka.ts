// Where Kafka is, said once for whoever produces and whoever consumes.
import { type KafkaOptions, Transport } from '@nestjs/microservices'

export function kafka(name: string): KafkaOptions & { transport: Transport.KAFKA } {
  const brokers = (process.env['KAFKA_BROKERS'] ?? 'localhost:9092').split(',')
  return {
    transport: Transport.KAFKA,
    options: {
      client: { clientId: name, brokers },
      // kafkajs ends a consumer when its poll does, so the application stops within this.
      consumer: { groupId: name, maxWaitTimeInMs: 500 },
      // A topic that is new is read from its beginning.
      subscribe: { fromBeginning: true },
    },
  }
}
