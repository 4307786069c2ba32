// DescribeTransactions answers the state of transactional ids, with the partitions of their open transactions. A primary read.
// - Versions: 0.
// - KIPs: 664.
// - Left out: the partitions of __consumer_offsets, which Kafka lists for groups: pending offsets are rows here.
import { DescribeTransactions, type DescribeTransactionsResponse, errors } from '@local-kafka-service/protocol'
import { topicsOfTransaction } from '../operations/transactions.ts'
import type { Services } from '../services.ts'
import { unitsOfName } from '../time/turns.ts'
import { mayTouch } from './access.ts'
import { handler } from './handler.ts'
import type { RequestScope } from './request-context.ts'
import { mayUseTransactionalId } from './transactional-id.ts'

type Uses = Pick<Services, 'transactions' | 'topics' | 'turns' | 'gate'>
type State = DescribeTransactionsResponse['transactionStates'][number]

export const describeTransactions = handler({
  api: DescribeTransactions,
  access: { operation: 'DESCRIBE', resource: 'transactional id' },
  async handle({ transactionalIds }, context, services: Uses) {
    const transactionStates: State[] = []
    const slice = services.turns.slice()
    for (const transactionalId of transactionalIds) {
      transactionStates.push(await stateOf(transactionalId, { context, services }))
      if (slice.spent(unitsOfName(transactionalId))) await slice.next()
    }
    return { kind: 'now', response: { throttleTimeMs: 0, transactionStates } }
  },
  reject: ({ transactionalIds }, { code }) => ({
    throttleTimeMs: 0,
    transactionStates: transactionalIds.map((transactionalId) => failed(transactionalId, code)),
  }),
})

async function stateOf(transactionalId: string, scope: RequestScope<Uses>): Promise<State> {
  const { transactions, topics } = scope.services
  if (!mayUseTransactionalId(transactionalId, 'DESCRIBE', scope))
    return failed(transactionalId, errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED.code)
  if (transactionalId === '') return failed(transactionalId, errors.INVALID_REQUEST.code)
  if (!transactions.isMine(transactionalId)) return failed(transactionalId, errors.NOT_COORDINATOR.code)
  const found = await transactions.find(transactionalId)
  if (found === undefined) return failed(transactionalId, errors.TRANSACTIONAL_ID_NOT_FOUND.code)
  const { row, beganAtMs } = found
  return {
    errorCode: 0,
    transactionalId,
    transactionState: row.state,
    transactionTimeoutMs: row.timeoutMs,
    // Kafka has no time for an id that has begun nothing since InitProducerId.
    transactionStartTimeMs: row.state === 'Empty' ? -1 : beganAtMs,
    producerId: row.producerId,
    producerEpoch: row.producerEpoch,
    topics: await topicsOfTransaction(found, topics, (name) => mayTouch(name, 'DESCRIBE', scope)),
  }
}

function failed(transactionalId: string, errorCode: number): State {
  return {
    errorCode,
    transactionalId,
    transactionState: '',
    transactionTimeoutMs: 0,
    transactionStartTimeMs: 0,
    producerId: 0,
    producerEpoch: 0,
    topics: [],
  }
}
