// lks group delete: deletes groups with all their committed offsets, after confirmation.
import { withCluster } from '../../cluster/cluster-client.ts'
import { describeGroup } from '../../cluster/groups.ts'
import type { ClientCommand } from '../client-command.ts'
import { yesOption } from '../confirm.ts'
import { deleteAll } from '../deletion.ts'
import { outputOption } from '../output/output.ts'

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
      const act = (group: string): Promise<unknown> => cluster.withRetries(() => cluster.admin.deleteGroups({ groups: [group] }))
      await deleteAll({ kind: 'group', contents: 'committed offsets', key: 'group', names: groups, act }, given, context)
    })
  },
}
