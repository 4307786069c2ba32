// lks group delete: deletes groups with all their committed offsets, after confirmation.
import { counted } from 'local-kafka-service/internal/counted'
import { withCluster } from '../../cluster/cluster-client.ts'
import { describeGroup } from '../../cluster/groups.ts'
import type { ClientCommand } from '../client-command.ts'
import { confirm, yesOption } from '../confirm.ts'
import { forEachName } from '../each.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'

export const groupDelete: ClientCommand = {
  path: ['group', 'delete'],
  summary: 'Delete groups with their committed offsets.',
  arguments: [{ name: 'group', required: true, variadic: true, doc: 'Their ids.', completes: 'group' }],
  options: [yesOption, outputOption],
  examples: ['lks group delete billing', 'lks group delete billing audit --yes'],
  async run(given, context) {
    const groups = [...new Set(given.arguments)]
    await withCluster(context, async (cluster) => {
      // Every group must exist before the first one is deleted.
      for (const group of groups) await describeGroup(cluster, group)
      await confirm(`Delete ${counted(groups.length, 'group')} with all committed offsets: ${groups.join(', ')}?`, given, context)
      const deleted: string[] = []
      try {
        await forEachName(groups, context, async (group) => {
          await cluster.withRetries(() => cluster.admin.deleteGroups({ groups: [group] }))
          deleted.push(group)
        })
      } finally {
        show(context.terminal, formatOf(given), {
          value: deleted.map((group) => ({ group, deleted: true })),
          names: deleted,
          blocks: deleted.length === 0 ? [] : [tableBlock([{ header: 'DELETED', value: (group: string) => group }], deleted)],
        })
      }
    })
  },
}
