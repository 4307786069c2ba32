// The partitions of a DeleteRecords that other agents own: their owners get them, and the client gets the owners' answers.
import { DeleteRecords, errors, type Outcome } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import { fixedLimits } from '../limits.ts'
import type { RecordDeletionAsk } from '../operations/record-deletion.ts'
import type { Services } from '../services.ts'
import { orLate } from '../time/or-late.ts'
import { sleep } from '../time/sleep.ts'
import type { RequestScope } from './request-context.ts'

type Uses = Pick<Services, 'recordDeletion' | 'owners' | 'membership' | 'forwarder' | 'ioClock'>

/**
 * The first offset of each log after the deletion, in the order of the request. While a partition changes hands, the request is held for `holdMs`, then the partition gets
 * NOT_LEADER_OR_FOLLOWER. An owner whose answer is lost may have deleted the records: REQUEST_TIMED_OUT. Rejects with a MetadataError when the database is away.
 */
export async function deletedByOwners(asks: readonly RecordDeletionAsk[], scope: RequestScope<Uses>): Promise<readonly Outcome<number>[]> {
  const { context, services } = scope
  const { recordDeletion, membership, owners, ioClock } = services
  const outcomes = [...(await recordDeletion.deleteBefore(asks))]
  const untilMs = ioClock.monotonic() + fixedLimits.holdMs
  // The agent that forwarded a request asks again.
  while (context.forwarded !== true && !context.signal.aborted) {
    const elsewhere = outcomes.flatMap((outcome, at) => (isElsewhere(outcome) ? [at] : []))
    if (elsewhere.length === 0) break
    await forward(elsewhere, { asks, outcomes }, scope)
    const left = elsewhere.filter((at) => isElsewhere(must(outcomes[at], 'an outcome')))
    const leftMs = untilMs - ioClock.monotonic()
    if (left.length === 0 || leftMs <= 0) break
    const moving = left.map((at) => owners.moving(placeOf(asks, at))).find((one) => one !== undefined)
    await orLate(moving ?? membership.refresh(), { clock: ioClock, afterMs: leftMs }, undefined)
    if (moving === undefined) await sleep(ioClock, fixedLimits.holdPauseMs)
    const again = await recordDeletion.deleteBefore(left.map((at) => must(asks[at], 'a partition of the request')))
    for (const [index, at] of left.entries()) outcomes[at] = must(again[index], 'the outcome of each partition')
  }
  return outcomes
}

interface Deletions {
  readonly asks: readonly RecordDeletionAsk[]
  /** What the owners answer is written here. */
  readonly outcomes: Outcome<number>[]
}

async function forward(
  elsewhere: readonly number[],
  { asks, outcomes }: Deletions,
  { context, services }: RequestScope<Uses>,
): Promise<void> {
  const { owners, forwarder } = services
  const byOwner = Map.groupBy(elsewhere, (at) => {
    const { topicId, partition } = placeOf(asks, at)
    return owners.ofPartition(topicId, partition).leader
  })
  await Promise.all(
    [...byOwner].map(async ([to, indexes]) => {
      if (to === undefined || to === owners.brokerId) return
      const topics = [...Map.groupBy(indexes, (at) => must(asks[at], 'a partition of the request').topic.name)].map(([name, ofTopic]) => ({
        name,
        partitions: ofTopic.map((at) => ({ partitionIndex: placeOf(asks, at).partition, offset: offsetOf(asks, at) })),
      }))
      const answer = await forwarder.forward(
        DeleteRecords,
        { topics, timeoutMs: 0 },
        { to, timeoutMs: fixedLimits.forwardAnswerMs, context },
      )
      if (answer.kind === 'not sent') return
      for (const at of indexes) {
        const { topic, partition } = must(asks[at], 'a partition of the request')
        const result =
          answer.kind === 'answered'
            ? answer.response.topics.find(({ name }) => name === topic.name)?.partitions.find((one) => one.partitionIndex === partition)
            : undefined
        if (result === undefined) outcomes[at] = { kind: 'error', code: errors.REQUEST_TIMED_OUT.code }
        else if (result.errorCode === 0) outcomes[at] = { kind: 'ok', value: result.lowWatermark }
        else outcomes[at] = { kind: 'error', code: result.errorCode }
      }
    }),
  )
}

function isElsewhere(outcome: Outcome<number>): boolean {
  return outcome.kind === 'error' && outcome.code === errors.NOT_LEADER_OR_FOLLOWER.code
}

function placeOf(
  asks: readonly RecordDeletionAsk[],
  at: number,
): { readonly topicId: RecordDeletionAsk['topic']['topicId']; readonly partition: number } {
  const { topic, partition } = must(asks[at], 'a partition of the request')
  return { topicId: topic.topicId, partition }
}

function offsetOf(asks: readonly RecordDeletionAsk[], at: number): number {
  const { beforeOffset } = must(asks[at], 'a partition of the request')
  return beforeOffset === 'high watermark' ? -1 : beforeOffset
}
