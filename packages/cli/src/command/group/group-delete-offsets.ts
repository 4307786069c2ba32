// lks group delete-offsets: deletes committed offsets of a group, after confirmation; its members must not consume these topics.
import { counted } from 'local-kafka-service/internal/counted'
import { UserError } from 'local-kafka-service/internal/user-error'
import { rejection } from '../../cluster/client-errors.ts'
import { type ClusterClient, withCluster } from '../../cluster/cluster-client.ts'
import { type CommittedPosition, committedOffsets, deleteOffsets, describeGroup } from '../../cluster/groups.ts'
import { keyOf } from '../../cluster/offsets.ts'
import type { ClientCommand } from '../client-command.ts'
import { confirm, yesOption } from '../confirm.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import { topicScopes } from './seek-target.ts'

export const groupDeleteOffsets: ClientCommand = {
  path: ['group', 'delete-offsets'],
  aliases: ['offset-delete'],
  summary: 'Delete committed offsets of a group.',
  arguments: [{ name: 'group', required: true, doc: 'Its id.', completes: 'group' }],
  options: [
    {
      name: 'topics',
      placeholder: 'topic,…',
      doc: 'The topics whose offsets go; orders:0,2 names partitions. No member of the group may consume them.',
      completes: 'topic',
    },
    yesOption,
    outputOption,
  ],
  examples: ['lks group delete-offsets billing --topics orders', 'lks group delete-offsets billing --topics orders:0,2 --yes'],
  async run(given, context) {
    const [group = ''] = given.arguments
    const text = given.option('topics')
    if (text === undefined)
      throw new UserError('LKS-1008', {
        what: 'no topic is given',
        fix: ['name the topics: --topics orders', `delete the group with all its offsets: lks group delete ${group}`],
      })
    const scopes = topicScopes(text)
    await withCluster(context, async (cluster) => {
      // An unknown group must not look like one without offsets.
      await describeGroup(cluster, group)
      const doomed = (await committedOffsets(cluster, group)).filter(({ topic, partition }) =>
        scopes.some((scope) => scope.topic === topic && (scope.partitions?.includes(partition) ?? true)),
      )
      if (doomed.length > 0) {
        await confirm(`Delete the committed offsets of group '${group}' in ${counted(doomed.length, 'partition')}?`, given, context)
        await remove(cluster, group, doomed)
      }
      show(context.terminal, formatOf(given), {
        value: doomed.map(({ topic, partition, offset }) => ({ group, topic, partition, deleted: offset })),
        names: doomed.map(keyOf),
        blocks: doomed.length === 0 ? [] : [tableBlock(columns, doomed)],
        nothing: `group '${group}' has no committed offsets there`,
      })
    })
  },
}

const columns: readonly Column<CommittedPosition>[] = [
  { header: 'TOPIC', value: ({ topic }) => topic },
  { header: 'PARTITION', value: ({ partition }) => partition, align: 'right' },
  { header: 'DELETED', value: ({ offset }) => offset, align: 'right' },
]

/** Rejects with a UserError that names the first partition whose offset was not deleted. */
async function remove(cluster: ClusterClient, group: string, doomed: readonly CommittedPosition[]): Promise<void> {
  const failures = await deleteOffsets(cluster, group, doomed)
  const [first] = failures
  if (first === undefined) return
  const { id, message } = cluster.errorOf(first.errorCode)
  if (id === 'GROUP_SUBSCRIBED_TO_TOPIC')
    throw new UserError('LKS-4011', {
      what: `members of group '${group}' consume topic '${first.topic}'; ${counted(failures.length, 'offset')} of ${doomed.length} were not deleted`,
      why: `the cluster answered ${id}`,
      fix: ['stop them first', `list them: lks group describe ${group}`],
    })
  throw rejection(id, `${keyOf(first)}: ${message}`)
}
