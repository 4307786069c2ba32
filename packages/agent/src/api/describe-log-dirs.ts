// DescribeLogDirs answers the size of each partition in the object store, which counts as the one directory of this agent.
// - Versions: 1–5.
// - KIPs: 113, 827 (sizes of the directory, 4+: unknown, because the store is shared and has no end), 1066 (5).
// - A size is that of the batches that are not removed, also where an object still holds more.
import { DescribeLogDirs, type DescribeLogDirsRequest } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { TopicPartition } from '../core/ids.ts'
import { fixedLimits } from '../limits.ts'
import type { Services } from '../services.ts'
import { inSlices } from '../time/turns.ts'
import { topicsByName } from './access.ts'
import { handler } from './handler.ts'
import { logDirectory } from './log-directory.ts'
import type { RequestContext } from './request-context.ts'

type Uses = Pick<Services, 'turns' | 'topics' | 'gate' | 'log'>

export const describeLogDirs = handler({
  api: DescribeLogDirs,
  access: { operation: 'DESCRIBE', resource: 'cluster' },
  async handle({ topics }, context, services: Uses) {
    const asked = topics === null ? await allPartitions(services) : await namedPartitions(topics, context, services)
    const sized = new Map<string, { readonly partitionIndex: number; readonly partitionSize: number }[]>()
    for await (const some of inSlices(asked, services.turns, fixedLimits.namesPerRead)) {
      const sizes = await services.log.sizes(some)
      for (const [at, { name, partition }] of some.entries()) {
        const partitionSize = sizes[at]
        // Like Kafka, the answer leaves out what does not exist.
        if (partitionSize === undefined) continue
        const known = sized.get(name) ?? []
        sized.set(name, known)
        known.push({ partitionIndex: partition, partitionSize })
      }
    }
    const result = {
      errorCode: 0,
      logDir: logDirectory,
      topics: Array.from(sized, ([name, partitions]) => ({
        name,
        partitions: partitions.map((partition) => ({ ...partition, offsetLag: 0, isFutureKey: false })),
      })),
    }
    return { kind: 'now', response: { throttleTimeMs: 0, errorCode: 0, results: [result] } }
  },
  reject: (_request, { code }, apiVersion) => ({
    throttleTimeMs: 0,
    errorCode: code,
    // Older versions have an error for each directory only.
    results: apiVersion < 3 ? [{ errorCode: code, logDir: logDirectory, topics: [] }] : [],
  }),
})

interface NamedPartition extends TopicPartition {
  readonly name: string
}

async function allPartitions({ topics }: Pick<Services, 'topics'>): Promise<readonly NamedPartition[]> {
  const all = await topics.list()
  return all.flatMap(({ name, topicId, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ name, topicId, partition })),
  )
}

async function namedPartitions(
  asked: NonNullable<DescribeLogDirsRequest['topics']>,
  context: RequestContext,
  services: Uses,
): Promise<readonly NamedPartition[]> {
  const names = asked.map(({ topic }) => topic)
  const found = await topicsByName(names, { operation: 'DESCRIBE', context, services })
  const wanted = new Map<string, NamedPartition>()
  for (const { topic: name, partitions } of asked) {
    const topic = must(found.get(name), 'each topic that the request names')
    if (topic.kind === 'error') continue
    const { topicId } = topic.value
    for (const partition of partitions) wanted.set(`${name} ${partition}`, { name, topicId, partition })
  }
  return [...wanted.values()]
}
