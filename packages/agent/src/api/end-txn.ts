// EndTxn commits or aborts a transaction: its markers are written, and its offsets are the group's, before the answer.
// - Versions: 0–5. From 5 on the producer gets its next epoch.
// - KIPs: 98, 588 (PRODUCER_FENCED, 2+), 890 (the next epoch, 5).
// - Before 5 it ends the transaction that was open when it arrived, and no later one, although that has the same epoch.
// - It is never CONCURRENT_TRANSACTIONS: a transaction ends in one step.
import { EndTxn } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import { handler } from './handler.ts'
import { acceptedRow, checkTransactionalId } from './transactional-id.ts'

const fencedFrom = 2
const nextEpochFrom = 5

export const endTxn = handler({
  api: EndTxn,
  access: { operation: 'WRITE', resource: 'transactional id' },
  async handle({ transactionalId, producerId, producerEpoch, committed }, context, services: Pick<Services, 'transactions' | 'gate'>) {
    checkTransactionalId(transactionalId, { context, services })
    const transactionVersion = context.apiVersion >= nextEpochFrom ? 2 : 1
    const ending = { producer: { producerId, producerEpoch }, outcome: committed ? 'commit' : 'abort', transactionVersion } as const
    const answer = await services.transactions.end(transactionalId, ending, context.signal)
    const row = acceptedRow(answer, context.apiVersion, fencedFrom)
    return {
      kind: 'now',
      response: { throttleTimeMs: 0, errorCode: 0, producerId: row.producerId, producerEpoch: row.producerEpoch },
    }
  },
  reject: (_request, { code }) => ({ throttleTimeMs: 0, errorCode: code }),
})
