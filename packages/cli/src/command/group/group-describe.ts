// lks group describe: a group's partitions with their lag, its topics and its members.
import { type ClusterClient, withCluster } from '../../cluster/cluster-client.ts'
import { byTopic, lagOf, type PartitionLag, totalLag } from '../../cluster/group-lag.ts'
import { consumingGroups, describeGroup, type GroupMemberState, type GroupOverview } from '../../cluster/groups.ts'
import { asServer } from '../../cluster/server-address.ts'
import type { ClientCommand } from '../client-command.ts'
import { forEachShown } from '../each.ts'
import { fieldsBlock, formatOf, outputOption, type TextBlock, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import { orUnknown, ranges } from '../words.ts'
import { lagView, topicLagColumns } from './group-lag.ts'

export const groupDescribe: ClientCommand = {
  path: ['group', 'describe'],
  summary: 'Show the offsets, lag and members of groups.',
  arguments: [{ name: 'group', required: false, variadic: true, doc: 'The group ids. Default: all groups.', completes: 'group' }],
  options: [outputOption],
  examples: ['lks group describe', 'lks group describe billing', 'lks group describe billing -o json'],
  async run(given, context) {
    await withCluster(context, async (cluster) => {
      const groups = given.arguments.length > 0 ? [...new Set(given.arguments)] : await consumingGroups(cluster)
      await forEachShown(groups, context, {
        act: (id) => describe(cluster, id),
        view: (described) => ({
          value: described.map(valueOf),
          names: described.map(({ group }) => group.id),
          blocks: described.flatMap(blocksOf),
        }),
        format: formatOf(given),
      })
    })
  },
}

interface GroupDetails {
  readonly group: GroupOverview
  readonly partitions: readonly PartitionLag[]
}

async function describe(cluster: ClusterClient, id: string): Promise<GroupDetails> {
  const group = await describeGroup(cluster, id)
  return { group, partitions: await lagOf(cluster, id, group.members) }
}

function valueOf({ group, partitions }: GroupDetails): unknown {
  const { id, state, type, assignor, coordinator, members } = group
  return {
    group: id,
    state,
    type,
    assignor,
    coordinator,
    lag: totalLag(partitions),
    topics: byTopic(partitions),
    partitions: partitions.map(({ topic, partition, committed, start, end, lag, member }) => ({
      topic,
      partition,
      committed: committed ?? null,
      start: start ?? null,
      end: end ?? null,
      lag: lag ?? null,
      member: member?.memberId ?? null,
    })),
    members: members.map(({ memberId, instanceId, clientId, host, assignment }) => ({
      memberId,
      instanceId: instanceId ?? null,
      clientId,
      host,
      assignment: assignment ?? null,
    })),
  }
}

function blocksOf({ group, partitions }: GroupDetails): readonly TextBlock[] {
  const { id, state, type, assignor, coordinator, members } = group
  const lag = totalLag(partitions)
  const facts = fieldsBlock([
    ['Group', id],
    ['State', `${state} (${type})`],
    ['Assignor', assignor === '' ? '-' : assignor],
    ['Coordinator', `${coordinator.id} at ${asServer(coordinator)}`],
    ['Members', members.length],
    ['Total lag', lagView({ lag, unknown: partitions.filter((one) => one.lag === undefined).length }), lag > 0 ? 'lag' : undefined],
  ])
  const blocks = [facts]
  if (partitions.length > 0) blocks.push(tableBlock(partitionColumns, partitions), tableBlock(topicLagColumns, byTopic(partitions)))
  if (members.length > 0) blocks.push(tableBlock(memberColumns, members))
  return blocks
}

const partitionColumns: readonly Column<PartitionLag>[] = [
  { header: 'TOPIC', value: ({ topic }) => topic },
  { header: 'PARTITION', value: ({ partition }) => partition, align: 'right' },
  { header: 'COMMITTED', value: ({ committed }) => orUnknown(committed), align: 'right' },
  { header: 'END', value: ({ end }) => orUnknown(end), align: 'right' },
  { header: 'LAG', value: ({ lag }) => orUnknown(lag), align: 'right', style: ({ lag = 0 }) => (lag > 0 ? 'lag' : undefined) },
  { header: 'CLIENT', value: ({ member }) => orUnknown(member?.clientId) },
  { header: 'HOST', value: ({ member }) => orUnknown(member?.host) },
]

const memberColumns: readonly Column<GroupMemberState>[] = [
  { header: 'MEMBER', value: ({ memberId }) => memberId },
  { header: 'INSTANCE', value: ({ instanceId }) => orUnknown(instanceId) },
  { header: 'CLIENT', value: ({ clientId }) => clientId },
  { header: 'HOST', value: ({ host }) => host },
  { header: 'PARTITIONS', value: ({ assignment }) => (assignment === undefined ? '?' : assigned(assignment)) },
]

/** `orders[0-2] invoices[1]`; `-` for an empty list. */
function assigned(assignment: NonNullable<GroupMemberState['assignment']>): string {
  const topics = [...Map.groupBy(assignment, ({ topic }) => topic)]
  return topics.length === 0 ? '-' : topics.map(([topic, of]) => `${topic}[${ranges(of.map(({ partition }) => partition))}]`).join(' ')
}
