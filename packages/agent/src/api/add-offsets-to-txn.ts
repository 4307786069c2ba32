// AddOffsetsToTxn adds a group to a transaction: TxnOffsetCommit before 5 may then commit offsets of the group with it.
// - Versions: 0–4.
// - KIPs: 98, 588 (PRODUCER_FENCED, 2+).
import { AddOffsetsToTxn, KafkaError } from '@local-kafka-service/protocol'
import { isLegalGroupId } from '../coordinate/groups.ts'
import type { Services } from '../services.ts'
import { checkGroup } from './group-access.ts'
import { handler } from './handler.ts'
import { acceptedRow, checkTransactionalId } from './transactional-id.ts'

const fencedFrom = 2

export const addOffsetsToTxn = handler({
  api: AddOffsetsToTxn,
  access: { operation: 'WRITE', resource: 'transactional id' },
  async handle({ transactionalId, producerId, producerEpoch, groupId }, context, services: Pick<Services, 'transactions' | 'gate'>) {
    checkTransactionalId(transactionalId, { context, services })
    checkGroup(groupId, { operation: 'READ', context, services })
    if (!isLegalGroupId(groupId)) throw new KafkaError('INVALID_GROUP_ID')
    services.transactions.check(transactionalId)
    const answer = await services.transactions.add(transactionalId, { producerId, producerEpoch }, { groupIds: [groupId] })
    acceptedRow(answer, context.apiVersion, fencedFrom)
    return { kind: 'now', response: { throttleTimeMs: 0, errorCode: 0 } }
  },
  reject: (_request, { code }) => ({ throttleTimeMs: 0, errorCode: code }),
})
