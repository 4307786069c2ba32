// A transactional producer over one bare connection: its beginning, its batches, and the errors after which it asks again.
import { attributeBits, buildBatch, crc32c, errorName, FindCoordinator, InitProducerId } from '@local-kafka-service/protocol'
import type { WireClient } from './wire-client.ts'

/** The type of FindCoordinator's keys. */
export const transactionalKeys = 1

export interface ProducerEpoch {
  readonly id: number
  readonly epoch: number
}

/** Its first producer id and epoch. */
export async function begun(client: WireClient, transactionalId: string): Promise<ProducerEpoch> {
  // Kafka makes its topic of transactions when it is first asked.
  await client.ask(FindCoordinator, 4, { keyType: transactionalKeys, coordinatorKeys: [transactionalId] })
  let producer: ProducerEpoch = { id: -1, epoch: -1 }
  await repeated('InitProducerId', async () => {
    const answer = await client.ask(InitProducerId, 5, { transactionalId, transactionTimeoutMs: 60_000 })
    producer = { id: answer.producerId, epoch: answer.producerEpoch }
    return answer.errorCode
  })
  return producer
}

/** With one record of 100 bytes. */
export function batchOf({ id, epoch }: ProducerEpoch): Uint8Array {
  const timestamp = Date.now()
  const records = [{ offsetDelta: 0, timestamp, key: null, value: Buffer.alloc(100, 'v'), headers: [] }]
  return buildBatch(
    { baseTimestamp: timestamp, records, attributes: attributeBits.transactional, producer: { id, epoch, baseSequence: 0 } },
    crc32c,
  )
}

const temporary: ReadonlySet<string | undefined> = new Set([
  'CONCURRENT_TRANSACTIONS',
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'NOT_LEADER_OR_FOLLOWER',
])

/** Asks again after errors that a client waits for. */
export async function repeated(what: string, ask: () => Promise<number>): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const error = errorName(await ask())
    if (error === 'NONE') return
    if (!temporary.has(error) || tries > 10_000) throw new Error(`${what} was answered with ${error}`)
  }
}
