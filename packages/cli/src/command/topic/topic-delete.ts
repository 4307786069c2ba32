// lks topic delete: deletes topics with all their records, after confirmation.
import { withCluster } from '../../cluster/cluster-client.ts'
import { clusterState } from '../../cluster/cluster-metadata.ts'
import type { ClientCommand } from '../client-command.ts'
import { yesOption } from '../confirm.ts'
import { deleteAll } from '../deletion.ts'
import { outputOption } from '../output/output.ts'
import { allExisting } from './topic-names.ts'
import { namedTopics, orPatterns } from './topic-pattern.ts'

export const topicDelete: ClientCommand = {
  path: ['topic', 'delete'],
  summary: 'Delete topics with all their records.',
  arguments: [{ name: 'topic', required: true, variadic: true, doc: `Their names${orPatterns}`, completes: 'topic' }],
  options: [yesOption, outputOption],
  examples: ['lks topic delete orders', "lks topic delete 'test-*'", 'lks topic delete orders invoices --yes'],
  async run(given, context) {
    await withCluster(context, async (cluster) => {
      const words = await namedTopics(cluster, given.arguments)
      // Every topic must exist before the first one is deleted.
      const topics = allExisting(cluster, await clusterState(cluster, words), words)
      const names = topics.map(({ name }) => name)
      const act = (name: string): Promise<unknown> => cluster.withRetries(() => cluster.admin.deleteTopics({ topics: [name] }))
      await deleteAll({ kind: 'topic', contents: 'records', key: 'name', names, act }, given, context)
    })
  },
}
