// The aborted transactions among the records of fetch answers: a consumer of committed records leaves their records out.
import { must } from '../core/assert.ts'
import { partitionKey } from '../core/ids.ts'
import type { AbortedTransaction, TransactionStore } from '../metadata/transaction-store.ts'
import type { Tails } from '../view/tails.ts'
import type { FetchAsk } from './fetch-ask.ts'
import type { FetchAnswer } from './reader.ts'

export type AbortedByPartition = ReadonlyMap<string, readonly AbortedTransaction[]>

export interface AbortedParts {
  readonly tails: Pick<Tails, 'get'>
  readonly transactionStore: Pick<TransactionStore, 'aborted'>
}

/**
 * By `partitionKey`; absent: none. They are read after the records, whose end was the last stable offset, so no transaction among the records can still be aborted. Most
 * answers need no read: memory knows the last marker that aborted anything.
 */
export async function abortedIn(
  asks: readonly FetchAsk[],
  answers: readonly FetchAnswer[],
  { tails, transactionStore }: AbortedParts,
): Promise<AbortedByPartition> {
  const ranges = asks.flatMap(({ topicId, partition, offset }, at) => {
    const answer = answers[at]
    const tail = tails.get(topicId, partition)
    // Without a tail the partition has just been forgotten, and only the database knows.
    const mayHave = answer?.kind === 'data' && answer.sizeBytes > 0 && offset <= (tail?.lastAbortOffset ?? offset)
    return mayHave ? [{ topicId, partition, fromOffset: offset, untilOffset: answer.nextOffset }] : []
  })
  if (ranges.length === 0) return new Map()
  const found = await transactionStore.aborted(ranges)
  return new Map(
    ranges.map(({ topicId, partition }, at) => [partitionKey(topicId, partition), must(found[at], 'the answer of each range')]),
  )
}
