// The batches that are stored at the end of a run, with the producer of each, as any consumer gets them.
import { readBatchHeader } from '@local-kafka-service/protocol'
import { TopicReader } from '../../bench/topic-reader.ts'
import { WireClient } from '../../bench/wire-client.ts'
import type { StoredBatch } from './history.ts'
import { within } from './within.ts'

/** Of each partition up to its end. `broker`: `host:port` of one that serves all of them. */
export async function storedBatches(
  broker: string,
  { topic, ends }: { readonly topic: string; readonly ends: ReadonlyMap<number, number> },
): Promise<readonly StoredBatch[]> {
  const { hostname, port } = new URL(`kafka://${broker}`)
  const client = await WireClient.open(Number(port), hostname)
  try {
    const read = [...ends].map(([partition, end]) => ofPartition(client, { topic, partition, end }))
    return (await within(Promise.all(read), { what: 'the stored batches are read', limitMs: 60_000 })).flat()
  } finally {
    client.close()
  }
}

async function ofPartition(
  client: WireClient,
  { topic, partition, end }: { readonly topic: string; readonly partition: number; readonly end: number },
): Promise<readonly StoredBatch[]> {
  const reader = new TopicReader(client, { topic, partitions: [partition], maxWaitMs: 500 })
  const batches: StoredBatch[] = []
  for (let next = 0; next < end; ) {
    for (const bytes of await reader.next()) {
      const { baseOffset, lastOffsetDelta, recordCount, producerId, producerEpoch, baseSequence } = readBatchHeader(bytes, 0)
      batches.push({ partition, offset: baseOffset, records: recordCount, producerId, epoch: producerEpoch, sequence: baseSequence })
      next = baseOffset + lastOffsetDelta + 1
    }
  }
  return batches
}
