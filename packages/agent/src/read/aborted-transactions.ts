// The aborted transactions among the records of fetch answers: a consumer of committed records leaves their records out.
import { must } from '../core/assert.ts'
import { partitionKey } from '../core/ids.ts'
import type { AbortedTransaction, TransactionStore } from '../metadata/transaction-store.ts'
import type { Tails } from '../view/tails.ts'
import type { FetchAnswer, FetchAsk } from './reader.ts'

/** In Kafka's form. */
export type AbortedByPartition = ReadonlyMap<string, readonly Pick<AbortedTransaction, 'producerId' | 'firstOffset'>[]>

/**
 * By `partitionKey`; absent: none. They are read after the records, whose end was the last stable offset, so no transaction among the records can still be aborted. Most
 * answers need no read: memory knows the last marker that aborted anything.
 */
export async function abortedIn(
  asks: readonly FetchAsk[],
  answers: readonly FetchAnswer[],
  { tails, transactions }: { readonly tails: Pick<Tails, 'get'>; readonly transactions: Pick<TransactionStore, 'aborted'> },
): Promise<AbortedByPartition> {
  const ranges = asks.flatMap(({ topicId, partition, offset }, at) => {
    const answer = answers[at]
    const tail = tails.get(topicId, partition)
    // Without a tail the partition has just been forgotten, and only the database knows.
    const mayHave = answer?.kind === 'data' && answer.sizeBytes > 0 && offset <= (tail?.lastAbortOffset ?? offset)
    return mayHave ? [{ topicId, partition, fromOffset: offset, untilOffset: answer.nextOffset }] : []
  })
  if (ranges.length === 0) return new Map()
  const found = await transactions.aborted(ranges)
  return new Map(
    ranges.map(({ topicId, partition }, at) => {
      const aborted = must(found[at], 'the answer of each range')
      return [partitionKey(topicId, partition), aborted.map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))]
    }),
  )
}
