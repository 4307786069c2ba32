// The Kafka options that the producer and the consumer share.
import { type KafkaOptions, Transport } from '@nestjs/microservices'

export function kafka(name: string): KafkaOptions & { transport: Transport.KAFKA } {
  const brokers = (process.env['KAFKA_BROKERS'] ?? 'localhost:9092').split(',')
  return {
    transport: Transport.KAFKA,
    options: {
      client: { clientId: name, brokers },
      // kafkajs stops a consumer only after its poll, so this bounds how long the application takes to stop.
      consumer: { groupId: name, maxWaitTimeInMs: 500 },
      // The consumer reads a new topic from its beginning.
      subscribe: { fromBeginning: true },
    },
  }
}
