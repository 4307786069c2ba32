// Reading committed records for people: the answers of a reader up to the last stable offset, with the transactions among them that were aborted.
import type { BatchHeader } from '@local-kafka-service/protocol'
import { attributeBits } from '@local-kafka-service/protocol'
import { partitionKey } from '../core/ids.ts'
import type { AbortedTransaction } from '../metadata/transaction-store.ts'
import { type AbortedParts, abortedIn } from './aborted-transactions.ts'
import type { FetchAsk } from './fetch-ask.ts'
import type { FetchAnswer, FetchOptions, Reader } from './reader.ts'

export interface CommittedParts extends AbortedParts {
  readonly reader: Pick<Reader, 'fetch'>
}

export type CommittedAnswer =
  | (Extract<FetchAnswer, { kind: 'data' }> & { readonly aborted: readonly AbortedTransaction[] })
  | Extract<FetchAnswer, { kind: 'error' }>

/** As `Reader.fetch`, in the order of the request. */
export async function fetchCommitted(
  asks: readonly FetchAsk[],
  options: Omit<FetchOptions, 'readCommitted'>,
  { reader, ...parts }: CommittedParts,
): Promise<readonly CommittedAnswer[]> {
  const answers = await reader.fetch(asks, { ...options, readCommitted: true })
  const aborted = await abortedIn(asks, answers, parts)
  return answers.map((answer, at) => {
    if (answer.kind === 'error') return answer
    const ask = asks[at]
    // Absent: none of its transactions was aborted.
    const found = (ask && aborted.get(partitionKey(ask.topicId, ask.partition))) ?? []
    return { ...answer, aborted: found }
  })
}

/** Whether the batch is part of one of the aborted transactions, which are all that overlap what was read. */
export function isAbortedBatch(
  { attributes, producerId, baseOffset }: Pick<BatchHeader, 'attributes' | 'producerId' | 'baseOffset'>,
  aborted: readonly AbortedTransaction[],
): boolean {
  if (aborted.length === 0 || (attributes & attributeBits.transactional) === 0) return false
  return aborted.some((one) => one.producerId === producerId && one.firstOffset <= baseOffset && baseOffset < one.markerOffset)
}
