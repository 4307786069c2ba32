// The audit at the end of a world: the log as the database has it, segment by segment, against what the checker saw.
import type { MetadataStore, TopicId } from '@local-kafka-service/agent/simulation'
import type { Checker } from './invariants.ts'

export async function audit(
  log: MetadataStore['log'],
  { checker, topicId, partitions }: { readonly checker: Checker; readonly topicId: TopicId; readonly partitions: number },
): Promise<void> {
  for (let partition = 0; partition < partitions; partition += 1) {
    const end = checker.nextOffset(topicId, partition)
    const [state] = await log.partitions([{ topicId, partition }])
    if (state?.highWatermark !== end)
      checker.violate(
        'I3 watermarks never go back',
        `the database says that ${partition} ends at ${state?.highWatermark}, and it is ${end}`,
      )
    const start = checker.startOffset(topicId, partition)
    if (state?.logStartOffset !== start)
      checker.violate(
        'I3 watermarks never go back',
        `the database says that ${partition} begins at ${state?.logStartOffset}, and it is ${start}`,
      )
    const segments = []
    for (let offset = 0; offset < end; ) {
      const [found] = await log.find([{ topicId, partition, offset, maxBytes: 1024 * 1024, maxSegments: 64 }])
      const page = found?.kind === 'found' ? found.segments : []
      const last = page.at(-1)
      if (last === undefined) break
      segments.push(...page)
      offset = last.lastOffset + 1
    }
    await checker.segments(topicId, partition, segments)
  }
}
