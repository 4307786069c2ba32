// AlterReplicaLogDirs moves nothing: there is one directory, the object store, and all partitions are in it.
// - Versions: 1–2.
// - KIPs: 113.
import { AlterReplicaLogDirs, errors } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { Services } from '../services.ts'
import { topicsByName } from './access.ts'
import { handler } from './handler.ts'
import { logDirectory } from './log-directory.ts'

type Uses = Pick<Services, 'turns' | 'topics' | 'gate'>

export const alterReplicaLogDirs = handler({
  api: AlterReplicaLogDirs,
  access: { operation: 'ALTER', resource: 'cluster' },
  async handle({ dirs }, context, services: Uses) {
    const names = dirs.flatMap(({ topics }) => topics.map(({ name }) => name))
    const found = await topicsByName(names, { operation: 'ALTER', context, services })
    const results = new Map<string, Map<number, number>>()
    for (const { path, topics } of dirs) {
      for (const { name, partitions } of topics) {
        const topic = must(found.get(name), 'each topic that the request names')
        const codes = results.get(name) ?? new Map<number, number>()
        results.set(name, codes)
        for (const partition of partitions) {
          const exists = topic.kind === 'ok' && partition >= 0 && partition < topic.value.partitions
          const known = exists ? 0 : errors.UNKNOWN_TOPIC_OR_PARTITION.code
          codes.set(partition, path === logDirectory ? known : errors.LOG_DIR_NOT_FOUND.code)
        }
      }
    }
    return {
      kind: 'now',
      response: {
        throttleTimeMs: 0,
        results: Array.from(results, ([topicName, codes]) => ({
          topicName,
          partitions: Array.from(codes, ([partitionIndex, errorCode]) => ({ partitionIndex, errorCode })),
        })),
      },
    }
  },
  reject: ({ dirs }, { code }) => ({
    throttleTimeMs: 0,
    results: dirs.flatMap(({ topics }) =>
      topics.map(({ name, partitions }) => ({
        topicName: name,
        partitions: partitions.map((partitionIndex) => ({ partitionIndex, errorCode: code })),
      })),
    ),
  }),
})
