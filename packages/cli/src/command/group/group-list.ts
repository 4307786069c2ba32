// lks group list: the groups of a cluster, sorted by id.
import { withCluster } from '../../cluster/cluster-client.ts'
import { type ListedGroup, listGroups } from '../../cluster/groups.ts'
import type { ClientCommand } from '../client-command.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'

export const groupList: ClientCommand = {
  path: ['group', 'list'],
  summary: 'List the groups with their states.',
  arguments: [],
  options: [outputOption],
  examples: ['lks group list', 'lks group list -o name'],
  async run(given, context) {
    await withCluster(context, async (cluster) => {
      const groups = await listGroups(cluster)
      show(context.terminal, formatOf(given), {
        value: groups,
        names: groups.map(({ id }) => id),
        blocks: groups.length === 0 ? [] : [tableBlock(columns, groups)],
        nothing: 'there are no groups',
      })
    })
  },
}

const columns: readonly Column<ListedGroup>[] = [
  { header: 'GROUP', value: ({ id }) => id },
  { header: 'STATE', value: ({ state }) => state },
  { header: 'TYPE', value: ({ type }) => type },
  { header: 'PROTOCOL', value: ({ protocolType }) => (protocolType === '' ? '-' : protocolType) },
]
