// lks group seek: sets the committed offsets of a group without members; without --yes it only shows the change.
import { writeFile } from 'node:fs/promises'
import { errorText } from '@local-kafka-service/agent/native-error'
import { counted } from 'local-kafka-service/internal/counted'
import { UserError } from 'local-kafka-service/internal/user-error'
import { rejectionIn } from '../../cluster/client-errors.ts'
import { type ClusterClient, withCluster } from '../../cluster/cluster-client.ts'
import { commitOffsets } from '../../cluster/groups.ts'
import { keyOf } from '../../cluster/offsets.ts'
import type { ClientCommand, ParsedCommand } from '../client-command.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import { offsetsFile } from './offsets-file.ts'
import { activeGroup, checkIdle, type Move, type SeekSource, seekPlan } from './seek-plan.ts'
import { seekTarget, topicScopes } from './seek-target.ts'

export const groupSeek: ClientCommand = {
  path: ['group', 'seek'],
  summary: 'Set the committed offsets of a group: a dry run without --yes.',
  arguments: [{ name: 'group', required: true, doc: 'Its id.', completes: 'group' }],
  options: [
    {
      name: 'to',
      placeholder: 'where',
      doc: 'start, end, current, an offset, @TIME (@2026-01-31T12:00:00Z, @-1h), or -N and +N records from the committed offset.',
      completes: ['start', 'end', 'current', '@-1h'],
      check: (value) => {
        const target = seekTarget(value, 0)
        return typeof target === 'string' ? target : undefined
      },
    },
    {
      name: 'from-file',
      placeholder: 'path',
      doc: 'Take the offsets from this file: lines of topic,partition,offset, as --save and kafka-consumer-groups --export write them.',
    },
    { name: 'from-group', placeholder: 'group', doc: 'Take the committed offsets of this group.', completes: 'group' },
    {
      name: 'topics',
      placeholder: 'topic,…',
      doc: 'Only these topics, which may be new to the group; orders:0,2 names partitions. Default: all partitions with committed offsets.',
      completes: 'topic',
    },
    {
      name: 'save',
      placeholder: 'path',
      doc: 'Write the offsets into this file. Without another target these are the current ones: a copy to return to with --from-file.',
    },
    { name: 'yes', short: 'y', doc: 'Do it.' },
    outputOption,
  ],
  examples: [
    'lks group seek billing --to start',
    'lks group seek billing --to @-1h --topics orders --yes',
    'lks group seek billing --to=-10 --topics orders:0 --yes',
    'lks group seek billing --save offsets.csv',
    'lks group seek billing --from-file offsets.csv --yes',
    'lks group seek billing-2 --from-group billing --yes',
  ],
  async run(given, context) {
    const [group = ''] = given.arguments
    const source = sourceOf(given)
    const text = given.option('topics')
    const scopes = text === undefined ? undefined : topicScopes(text)
    const save = given.option('save')
    await withCluster(context, async (cluster) => {
      const mayBeNew = scopes !== undefined || source.kind !== 'target'
      // Current offsets are only read, and members may be active.
      if (!isCurrent(source) || given.flag('yes')) await checkIdle(cluster, group, { mayBeNew })
      const moves = await seekPlan(cluster, group, { source, scopes })
      if (save !== undefined) await writeOffsets(save, moves)
      if (given.flag('yes') && moves.length > 0) await apply(cluster, group, moves)
      show(context.terminal, formatOf(given), {
        value: { group, applied: given.flag('yes'), partitions: moves.map(({ from, ...move }) => ({ ...move, from: from ?? null })) },
        names: moves.map(keyOf),
        blocks: moves.length === 0 ? [] : [tableBlock(columns, moves)],
        nothing: `group '${group}' has no committed offsets; name topics: --topics orders`,
      })
      if (moves.length === 0) return
      if (save !== undefined) context.terminal.talk.write(`saved in ${save}: ${counted(moves.length, 'partition')}\n`)
      if (isCurrent(source)) return
      context.terminal.talk.write(
        given.flag('yes')
          ? `changed: ${counted(moves.length, 'partition')}\n`
          : 'nothing was changed; with --yes the offsets change as shown\n',
      )
    })
  },
}

const columns: readonly Column<Move>[] = [
  { header: 'TOPIC', value: ({ topic }) => topic },
  { header: 'PARTITION', value: ({ partition }) => partition, align: 'right' },
  { header: 'FROM', value: ({ from }) => from ?? '-', align: 'right' },
  { header: 'TO', value: ({ to }) => to, align: 'right' },
  { header: 'CHANGE', value: ({ from, to }) => (from === undefined ? '-' : to > from ? `+${to - from}` : to - from), align: 'right' },
  { header: 'LAG', value: ({ to, end }) => end - to, align: 'right' },
]

/** Throws a UserError unless exactly one source is given; `--save` alone means the current offsets. */
function sourceOf(given: ParsedCommand): SeekSource {
  const to = given.option('to')
  const path = given.option('from-file')
  const group = given.option('from-group')
  const sources = Object.entries({ '--to': to, '--from-file': path, '--from-group': group }).filter(([, value]) => value !== undefined)
  if (sources.length > 1)
    throw new UserError('LKS-1005', { what: `${sources.map(([name]) => name).join(' and ')} exclude each other`, fix: ['use one of them'] })
  if (path !== undefined) return { kind: 'file', path }
  if (group !== undefined) return { kind: 'group', group }
  if (to === undefined && given.option('save') === undefined)
    throw new UserError('LKS-1008', {
      what: 'no target is given',
      fix: ['use --to start, end, @TIME, OFFSET, -N or +N', 'or take the offsets from elsewhere: --from-file, --from-group'],
    })
  const target = seekTarget(to ?? 'current', Date.now())
  if (typeof target === 'string') throw new UserError('LKS-1004', { what: `--to: '${to ?? ''}' ${target}`, fix: ['as in: --to start'] })
  return { kind: 'target', target }
}

function isCurrent(source: SeekSource): boolean {
  return source.kind === 'target' && source.target.kind === 'by' && source.target.by === 0
}

async function writeOffsets(path: string, moves: readonly Move[]): Promise<void> {
  try {
    await writeFile(path, offsetsFile(moves.map(({ topic, partition, to }) => ({ topic, partition, offset: to }))))
  } catch (error) {
    throw new UserError('LKS-1010', {
      what: `--save: ${path} cannot be written; nothing was changed`,
      why: errorText(error),
      fix: ['name a file in a folder that this user may write to'],
      cause: error,
    })
  }
}

async function apply(cluster: ClusterClient, group: string, moves: readonly Move[]): Promise<void> {
  try {
    await commitOffsets(
      cluster,
      group,
      moves.map(({ topic, partition, to }) => ({ topic, partition, offset: to })),
    )
  } catch (error) {
    // A member joined between the check and the commit.
    const id = rejectionIn(error)?.id
    throw id === 'UNKNOWN_MEMBER_ID' || id === 'REBALANCE_IN_PROGRESS' ? activeGroup(group, undefined) : error
  }
}
