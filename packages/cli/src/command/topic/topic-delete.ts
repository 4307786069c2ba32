// lks topic delete: deletes topics with all their records, after confirmation.
import { counted } from 'local-kafka-service/internal/counted'
import { withCluster } from '../../cluster/cluster-client.ts'
import { clusterState } from '../../cluster/cluster-metadata.ts'
import type { ClientCommand } from '../client-command.ts'
import { confirm, yesOption } from '../confirm.ts'
import { forEachName } from '../each.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import { allExisting } from './topic-names.ts'

export const topicDelete: ClientCommand = {
  path: ['topic', 'delete'],
  summary: 'Delete topics with all their records.',
  arguments: [{ name: 'topic', required: true, variadic: true, doc: 'Their names.', completes: 'topic' }],
  options: [yesOption, outputOption],
  examples: ['lks topic delete orders', 'lks topic delete orders invoices --yes'],
  async run(given, context) {
    await withCluster(context, async (cluster) => {
      // Every topic must exist before the first one is deleted.
      const topics = allExisting(cluster, await clusterState(cluster, given.arguments), given.arguments)
      const names = topics.map(({ name }) => name)
      await confirm(`Delete ${counted(names.length, 'topic')} with all records: ${names.join(', ')}?`, given, context)
      const deleted: string[] = []
      try {
        await forEachName(names, context, async (name) => {
          await cluster.withRetries(() => cluster.admin.deleteTopics({ topics: [name] }))
          deleted.push(name)
        })
      } finally {
        show(context.terminal, formatOf(given), {
          value: deleted.map((name) => ({ name, deleted: true })),
          names: deleted,
          blocks: deleted.length === 0 ? [] : [tableBlock([{ header: 'DELETED', value: (name: string) => name }], deleted)],
        })
      }
    })
  },
}
