// lks topic delete-records: deletes the oldest records of a topic's partitions, after confirmation.
import { counted } from 'local-kafka-service/internal/counted'
import { UserError } from 'local-kafka-service/internal/user-error'
import { type ClusterClient, withCluster } from '../../cluster/cluster-client.ts'
import { clusterState, type TopicState } from '../../cluster/cluster-metadata.ts'
import { earliest, keyOf, latest, offsetsAt, type PartitionRef } from '../../cluster/offsets.ts'
import type { ClientCommand, ParsedCommand } from '../client-command.ts'
import { confirm, yesOption } from '../confirm.ts'
import { type SeekTarget, seekTarget } from '../group/seek-target.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import { existing } from './topic-names.ts'

export const topicDeleteRecords: ClientCommand = {
  path: ['topic', 'delete-records'],
  aliases: ['trim'],
  summary: 'Delete the oldest records of a topic.',
  arguments: [{ name: 'topic', required: true, doc: 'Its name.', completes: 'topic' }],
  options: [
    {
      name: 'before',
      placeholder: 'offset',
      doc: 'The first offset to keep; @-1h or @2026-01-31: keep records from this time on; -N: keep the last N offsets; end: keep none.',
      completes: ['end', '@-1h'],
      check: (value) => {
        const target = trimTarget(value, 0)
        return typeof target === 'string' ? target : undefined
      },
    },
    {
      name: 'partition',
      short: 'p',
      placeholder: 'number',
      repeatable: true,
      doc: 'Only this partition. Default: all partitions.',
      check: (value) => (/^\d{1,9}$/.test(value) ? undefined : 'must be a whole number'),
    },
    yesOption,
    outputOption,
  ],
  examples: [
    'lks topic delete-records orders --before end',
    'lks topic delete-records orders --before @-7d',
    'lks topic delete-records orders --partition 3 --before 1042 --yes',
  ],
  async run(given, context) {
    const before = given.option('before')
    if (before === undefined) throw new UserError('LKS-1008', { what: 'no offset is given', fix: ['use --before OFFSET, or --before end'] })
    const target = trimTarget(before, Date.now())
    if (typeof target === 'string')
      throw new UserError('LKS-1004', { what: `--before: '${before}' ${target}`, fix: ['as in: --before end'] })
    const [name = ''] = given.arguments
    await withCluster(context, async (cluster) => {
      const state = await clusterState(cluster, [name])
      const partitions = partitionsOf(existing(cluster, state, name), given)
      const starts = await offsetsAt(cluster, state, partitions, earliest)
      const ends = await offsetsAt(cluster, state, partitions, latest)
      const times = target.kind === 'time' ? await offsetsAt(cluster, state, partitions, target.timestamp) : undefined
      const plan = partitions.map((ref): PlannedDeletion => {
        const [from, end, time] = [starts, ends, times].map((offsets) => offsets?.get(keyOf(ref)))
        if (from === undefined || end === undefined || (times !== undefined && time === undefined)) throw unreachable(ref)
        return { ...ref, from, to: Math.max(from, firstKept(target, { end, time })) }
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

/** Where deletion ends, from `--before`. Returns a text that says what is wrong. `now`: milliseconds since 1970. */
function trimTarget(text: string, now: number): Exclude<SeekTarget, { kind: 'start' }> | string {
  const target = seekTarget(text, now)
  if (typeof target === 'string' || target.kind === 'start' || (target.kind === 'by' && target.by > 0))
    return 'is not one of OFFSET, @TIME, -N, end'
  return target
}

/** An offset after the end is left as it is: the cluster rejects it. `time`: the offset found for the time; -1 if all records are older. */
function firstKept(
  target: Exclude<SeekTarget, { kind: 'start' }>,
  { end, time = -1 }: { readonly end: number; readonly time: number | undefined },
): number {
  switch (target.kind) {
    case 'end':
      return end
    case 'offset':
      return target.offset
    case 'by':
      return end + target.by
    case 'time':
      return time < 0 ? end : time
  }
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
  const wanted = new Set(given.options('partition').map(Number))
  const refs = partitions.map(({ partition }) => ({ topic: name, partition }))
  if (wanted.size === 0) return refs
  const only = refs.filter(({ partition }) => wanted.delete(partition))
  const [absent] = wanted
  if (absent !== undefined)
    throw new UserError('LKS-4008', {
      what: `topic '${name}' has no partition ${absent}`,
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
