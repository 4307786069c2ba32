// lks group seek: sets the committed offsets of a group without members; without --yes it only shows the change.
import { partitionsOfGroup } from '@local-kafka-service/protocol'
import { counted } from 'local-kafka-service/internal/counted'
import { UserError } from 'local-kafka-service/internal/user-error'
import { noGroup, rejectionIn } from '../../cluster/client-errors.ts'
import { type ClusterClient, withCluster } from '../../cluster/cluster-client.ts'
import { clusterState, type TopicState } from '../../cluster/cluster-metadata.ts'
import { boundsOf, countIn } from '../../cluster/group-lag.ts'
import { commitOffsets, committedOffsets, describeGroup } from '../../cluster/groups.ts'
import { keyOf, offsetsAt, type PartitionRef } from '../../cluster/offsets.ts'
import type { ClientCommand } from '../client-command.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import { existing } from '../topic/topic-names.ts'
import { type SeekTarget, seekTarget, topicScope, wantedOffset } from './seek-target.ts'

export const groupSeek: ClientCommand = {
  path: ['group', 'seek'],
  summary: 'Set the committed offsets of a group: a dry run without --yes.',
  arguments: [{ name: 'group', required: true, doc: 'Its id.', completes: 'group' }],
  options: [
    {
      name: 'to',
      placeholder: 'where',
      doc: 'start, end, an offset, @TIME (@2026-01-31T12:00:00Z, @-1h), or -N and +N records from the committed offset.',
      completes: ['start', 'end', '@-1h'],
      check: (value) => {
        const target = seekTarget(value, 0)
        return typeof target === 'string' ? target : undefined
      },
    },
    {
      name: 'topics',
      placeholder: 'topic,…',
      doc: 'Only these topics, which may be new to the group; orders:0,2 names partitions. Default: all partitions with committed offsets.',
      completes: 'topic',
    },
    { name: 'yes', short: 'y', doc: 'Do it.' },
    outputOption,
  ],
  examples: [
    'lks group seek billing --to start',
    'lks group seek billing --to @-1h --topics orders --yes',
    'lks group seek billing --to=-10 --topics orders:0 --yes',
  ],
  async run(given, context) {
    const [group = ''] = given.arguments
    const to = given.option('to')
    if (to === undefined)
      throw new UserError('LKS-1008', { what: 'no target is given', fix: ['use --to start, end, @TIME, OFFSET, -N or +N'] })
    const target = seekTarget(to, Date.now())
    if (typeof target === 'string') throw new UserError('LKS-1004', { what: `--to: '${to}' ${target}`, fix: ['as in: --to start'] })
    const scopes = scopesOf(given.option('topics'))
    await withCluster(context, async (cluster) => {
      const moves = await plan(cluster, group, { target, scopes })
      if (given.flag('yes') && moves.length > 0) await apply(cluster, group, moves)
      show(context.terminal, formatOf(given), {
        value: { group, applied: given.flag('yes'), partitions: moves.map(({ from, ...move }) => ({ ...move, from: from ?? null })) },
        names: moves.map(keyOf),
        blocks: moves.length === 0 ? [] : [tableBlock(columns, moves)],
        nothing: `group '${group}' has no committed offsets; name topics: --topics orders`,
      })
      if (moves.length === 0) return
      context.terminal.talk.write(
        given.flag('yes')
          ? `changed: ${counted(moves.length, 'partition')}\n`
          : 'nothing was changed; with --yes the offsets change as shown\n',
      )
    })
  },
}

interface Scope {
  readonly topic: string
  readonly partitions: readonly number[] | undefined
}

interface Move extends PartitionRef {
  /** Undefined: there is no committed offset. */
  readonly from: number | undefined
  readonly to: number
  readonly end: number
}

const columns: readonly Column<Move>[] = [
  { header: 'TOPIC', value: ({ topic }) => topic },
  { header: 'PARTITION', value: ({ partition }) => partition, align: 'right' },
  { header: 'FROM', value: ({ from }) => from ?? '-', align: 'right' },
  { header: 'TO', value: ({ to }) => to, align: 'right' },
  { header: 'CHANGE', value: ({ from, to }) => (from === undefined ? '-' : to > from ? `+${to - from}` : to - from), align: 'right' },
  { header: 'LAG', value: ({ to, end }) => end - to, align: 'right' },
]

function scopesOf(text: string | undefined): readonly Scope[] | undefined {
  if (text === undefined) return undefined
  // A comma separates partitions as well as topics: after a colon, an item that begins with a digit belongs to the topic before it.
  return text.split(/,(?!\d+(?:-\d+)?(?:,|$))/).map((part) => {
    const scope = topicScope(part.trim())
    if (typeof scope === 'string')
      throw new UserError('LKS-1004', { what: `--topics: ${scope}`, fix: ['as in: --topics orders,invoices:0-2'] })
    return scope
  })
}

/** Throws a UserError when the group does not exist, is active, or has no committed offset to count from. */
async function plan(
  cluster: ClusterClient,
  group: string,
  { target, scopes }: { readonly target: SeekTarget; readonly scopes: readonly Scope[] | undefined },
): Promise<readonly Move[]> {
  await checkIdle(cluster, group, { mayBeNew: scopes !== undefined })
  const committed = await committedOffsets(cluster, group)
  const names = scopes?.map(({ topic }) => topic) ?? [...new Set(committed.map(({ topic }) => topic))]
  const state = await clusterState(cluster, names)
  const refs =
    scopes === undefined
      ? // A relative target needs a committed offset.
        partitionsOfGroup(committed, [], (topic) => (target.kind === 'by' ? 0 : countIn(state, topic))).filter(
          ({ topic }) => !state.missing.has(topic),
        )
      : chosen(
          names.map((name) => existing(cluster, state, name)),
          scopes,
        )
  const { starts, ends } = await boundsOf(cluster, refs)
  const times = target.kind === 'time' ? await offsetsAt(cluster, state, refs, target.timestamp) : undefined
  const offsets = new Map(committed.map((one) => [keyOf(one), one.offset]))
  return refs.map(({ topic, partition }) => {
    const key = keyOf({ topic, partition })
    const [start, end, from, time] = [starts.get(key), ends.get(key), offsets.get(key), times?.get(key)]
    if (start === undefined || end === undefined || (times !== undefined && time === undefined))
      throw new UserError('LKS-4007', {
        what: `the first and last offset of ${key} are unknown`,
        why: 'its leader is not available',
        fix: ['check it: lks cluster health', `leave it out: --topics`],
      })
    const to = wantedOffset(target, { start, end, committed: from, time })
    if (to === undefined)
      throw new UserError('LKS-1004', {
        what: `${key} has no committed offset to count from`,
        fix: ['use an absolute target: --to start, end, @TIME or an offset'],
      })
    return { topic, partition, from, to, end }
  })
}

function chosen(topics: readonly TopicState[], scopes: readonly Scope[]): readonly PartitionRef[] {
  const refs = new Map<string, PartitionRef>()
  for (const { topic, partitions } of scopes) {
    const known = topics.find(({ name }) => name === topic)?.partitions.map(({ partition }) => partition) ?? []
    for (const partition of partitions ?? known) {
      if (!known.includes(partition))
        throw new UserError('LKS-4008', {
          what: `topic '${topic}' has no partition ${partition}`,
          why: `it has ${known.length}`,
          fix: [`check it: lks topic describe ${topic}`],
        })
      refs.set(keyOf({ topic, partition }), { topic, partition })
    }
  }
  return [...refs.values()]
}

async function checkIdle(cluster: ClusterClient, group: string, { mayBeNew }: { readonly mayBeNew: boolean }): Promise<void> {
  try {
    const { members, state } = await describeGroup(cluster, group)
    if (members.length > 0 || (state !== 'Empty' && state !== 'Dead')) throw active(group, members.length)
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'LKS-4009') throw error
    if (!mayBeNew) throw noGroup(group)
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
    throw id === 'UNKNOWN_MEMBER_ID' || id === 'REBALANCE_IN_PROGRESS' ? active(group, undefined) : error
  }
}

function active(group: string, members: number | undefined): UserError {
  return new UserError('LKS-4011', {
    what: `group '${group}' has ${members === undefined ? 'active members' : counted(members, 'active member')}; nothing was changed`,
    why: 'they would keep their position and overwrite the change',
    fix: ['stop them first', `list them: lks group describe ${group}`],
  })
}
