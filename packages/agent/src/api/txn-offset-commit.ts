// TxnOffsetCommit stores offsets that become the group's when the transaction is committed.
// - Versions: 0–5. Version 5 adds the group to the transaction; before, AddOffsetsToTxn must have added it.
// - KIPs: 98, 447 (member and generation, 3+), 890 (the group is added, 5).
// - A client without a member commits to any group.
import { type KafkaErrorName, TxnOffsetCommit, type TxnOffsetCommitRequest } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { Services } from '../services.ts'
import { topicsByName } from './access.ts'
import { checkGroup } from './group-access.ts'
import { handler } from './handler.ts'
import { OffsetsToCommit } from './offsets-to-commit.ts'
import type { RequestContext, RequestScope } from './request-context.ts'
import { checkTransactionalId } from './transactional-id.ts'

const addsFrom = 5
/** The first version whose clients know TRANSACTION_ABORTABLE. */
const abortableFrom = 4

type Uses = Pick<Services, 'turns' | 'topics' | 'gate' | 'groups' | 'settings' | 'transactions'>

export const txnOffsetCommit = handler({
  api: TxnOffsetCommit,
  access: { operation: 'WRITE', resource: 'transactional id' },
  async handle(request, context, services: Uses) {
    checkTransactionalId(request.transactionalId, { context, services })
    checkGroup(request.groupId, { operation: 'READ', context, services })
    services.groups.check(request.groupId)
    const names = request.topics.map(({ name }) => name)
    const byName = await topicsByName(names, { operation: 'READ', context, services })
    const found = names.map((name) => must(byName.get(name), 'each name asked for'))
    const commit = await OffsetsToCommit.of(request.topics, found, services)
    if (commit.asksGroup) {
      const { error, saved } = await stored(request, commit, { context, services })
      if (error !== 'NONE') commit.reject(error, saved)
    }
    const topics = names.map((name, at) => ({ name, partitions: must(commit.answers[at], 'the answers of each topic') }))
    return { kind: 'now', response: { throttleTimeMs: 0, topics } }
  },
  reject: ({ topics }, { code }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: code })),
    })),
  }),
})

/** The transaction first, then the group: the save stores the offsets only if that transaction is still open. */
async function stored(
  { transactionalId, groupId, producerId, producerEpoch, generationId, memberId, groupInstanceId }: TxnOffsetCommitRequest,
  { offsets }: OffsetsToCommit,
  { context, services }: RequestScope<Uses>,
): Promise<{ readonly error: KafkaErrorName; readonly saved: number }> {
  const { transactions, groups } = services
  const producer = { producerId, producerEpoch }
  const adds = context.apiVersion >= addsFrom
  const answer = adds
    ? await transactions.add(transactionalId, producer, { groupIds: [groupId] })
    : await transactions.verifyGroup(transactionalId, producer, groupId)
  if (answer.kind === 'rejected') return { error: knownError(answer.error, context), saved: 0 }
  const { transactionNumber } = must(answer.row, 'the row of an open transaction')
  const pending = offsets.map((offset) => ({ ...offset, transactionalId, ...producer, transactionNumber }))
  const claim = { memberId, groupInstanceId, generation: generationId, connection: context.client.connectionId }
  const asked = { kind: 'commit', version: context.apiVersion, transactional: true, ...claim } as const
  return await groups.commitPendingInSteps(groupId, asked, pending, context.signal)
}

/** The error as a client of this version knows it. In no version do clients know PRODUCER_FENCED from this API. */
function knownError(error: KafkaErrorName, { apiVersion }: RequestContext): KafkaErrorName {
  if (error === 'PRODUCER_FENCED') return 'INVALID_PRODUCER_EPOCH'
  return error === 'TRANSACTION_ABORTABLE' && apiVersion < abortableFrom ? 'INVALID_TXN_STATE' : error
}
