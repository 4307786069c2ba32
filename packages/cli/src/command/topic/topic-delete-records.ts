// lks topic delete-records: deletes the oldest records of a topic's partitions, after confirmation.
import { counted } from 'local-kafka-service/internal/counted'
import { UserError } from 'local-kafka-service/internal/user-error'
import { type ClusterClient, withCluster } from '../../cluster/cluster-client.ts'
import { clusterState, type TopicState } from '../../cluster/cluster-metadata.ts'
import { earliest, keyOf, latest, offsetsAt, type PartitionRef } from '../../cluster/offsets.ts'
import type { ClientCommand, ParsedCommand } from '../client-command.ts'
import { confirm, yesOption } from '../confirm.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import { existing } from './topic-names.ts'

export const topicDeleteRecords: ClientCommand = {
  path: ['topic', 'delete-records'],
  summary: 'Delete the oldest records of a topic.',
  arguments: [{ name: 'topic', required: true, doc: 'Its name.', completes: 'topic' }],
  options: [
    {
      name: 'before',
      placeholder: 'offset',
      doc: 'The first offset to keep. end: deletes all records that there are now.',
      completes: ['end'],
      check: (value) => (value === 'end' || /^\d{1,15}$/.test(value) ? undefined : 'must be an offset, or end'),
    },
    {
      name: 'partition',
      short: 'p',
      placeholder: 'number',
      doc: 'Only this partition. Default: all partitions.',
      check: (value) => (/^\d{1,9}$/.test(value) ? undefined : 'must be a whole number'),
    },
    yesOption,
    outputOption,
  ],
  examples: ['lks topic delete-records orders --before end', 'lks topic delete-records orders --partition 3 --before 1042 --yes'],
  async run(given, context) {
    const before = given.option('before')
    if (before === undefined) throw new UserError('LKS-1008', { what: 'no offset is given', fix: ['use --before OFFSET, or --before end'] })
    const [name = ''] = given.arguments
    await withCluster(context, async (cluster) => {
      const state = await clusterState(cluster, [name])
      const partitions = partitionsOf(existing(cluster, state, name), given)
      const starts = await offsetsAt(cluster, state, partitions, earliest)
      const ends = await offsetsAt(cluster, state, partitions, latest)
      const plan = partitions.map((ref): PlannedDeletion => {
        const from = starts.get(keyOf(ref))
        const to = before === 'end' ? ends.get(keyOf(ref)) : Number(before)
        if (from === undefined || to === undefined) throw unreachable(ref)
        return { ...ref, from, to: Math.max(from, to) }
      })
      const doomed = plan.filter(({ from, to }) => to > from)
      if (doomed.length > 0) {
        const offsets = doomed.reduce((sum, { from, to }) => sum + to - from, 0)
        await confirm(`Delete ${counted(offsets, 'offset')} of topic '${name}', in ${counted(doomed.length, 'partition')}?`, given, context)
        await deleteRecords(cluster, name, doomed)
      }
      show(context.terminal, formatOf(given), {
        value: plan.map(({ topic, partition, from, to }) => ({ topic, partition, deleted: to - from, start: to })),
        names: doomed.map(keyOf),
        blocks: [tableBlock(columns, plan)],
      })
    })
  },
}

interface PlannedDeletion extends PartitionRef {
  /** The first offset that there was. */
  readonly from: number
  /** The first offset to keep. */
  readonly to: number
}

const columns: readonly Column<PlannedDeletion>[] = [
  { header: 'PARTITION', value: ({ partition }) => partition, align: 'right' },
  { header: 'DELETED', value: ({ from, to }) => to - from, align: 'right' },
  { header: 'START', value: ({ to }) => to, align: 'right' },
]

function partitionsOf({ name, partitions }: TopicState, given: ParsedCommand): readonly PartitionRef[] {
  const wanted = given.option('partition')
  const refs = partitions.map(({ partition }) => ({ topic: name, partition }))
  if (wanted === undefined) return refs
  const only = refs.filter(({ partition }) => partition === Number(wanted))
  if (only.length === 0)
    throw new UserError('LKS-4008', {
      what: `topic '${name}' has no partition ${wanted}`,
      fix: [`use a number from 0 to ${partitions.length - 1}`],
    })
  return only
}

async function deleteRecords(cluster: ClusterClient, name: string, plan: readonly PlannedDeletion[]): Promise<void> {
  const partitions = plan.map(({ partition, to }) => ({ partition, offset: BigInt(to) }))
  await cluster.withRetries(() => cluster.admin.deleteRecords({ topics: [{ name, partitions }] }))
}

function unreachable(ref: PartitionRef): UserError {
  return new UserError('LKS-4007', {
    what: `the offsets of ${keyOf(ref)} are not known`,
    why: 'the partition has no leader, or its leader answered an error',
    fix: ['see the partition: lks topic describe', 'try again'],
  })
}
