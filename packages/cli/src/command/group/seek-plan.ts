// The plan of `lks group seek`: where each committed offset would go, from a target, a file or another group.
import { readFile } from 'node:fs/promises'
import { errorText } from '@local-kafka-service/agent/native-error'
import { partitionsOfGroup } from '@local-kafka-service/protocol'
import { counted } from 'local-kafka-service/internal/counted'
import { UserError } from 'local-kafka-service/internal/user-error'
import { noGroup } from '../../cluster/client-errors.ts'
import type { ClusterClient } from '../../cluster/cluster-client.ts'
import { type ClusterState, clusterState, type TopicState } from '../../cluster/cluster-metadata.ts'
import { boundsOf, countIn } from '../../cluster/group-lag.ts'
import { type CommittedPosition, committedOffsets, describeGroup } from '../../cluster/groups.ts'
import { keyOf, offsetsAt, type PartitionRef } from '../../cluster/offsets.ts'
import { existing } from '../topic/topic-names.ts'
import { type FileOffset, parseOffsetsFile } from './offsets-file.ts'
import { type SeekTarget, type TopicScope, wantedOffset } from './seek-target.ts'

/** Where the new offsets come from. */
export type SeekSource =
  | { readonly kind: 'target'; readonly target: SeekTarget }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'group'; readonly group: string }

export interface Move extends PartitionRef {
  /** Undefined: there is no committed offset. */
  readonly from: number | undefined
  readonly to: number
  readonly end: number
}

export interface SeekWish {
  readonly source: SeekSource
  /** Undefined: all that the source names. */
  readonly scopes: readonly TopicScope[] | undefined
}

/** Rejects with a UserError when there is no committed offset to count from, and when the file or the other group has none. */
export async function seekPlan(cluster: ClusterClient, group: string, { source, scopes }: SeekWish): Promise<readonly Move[]> {
  const committed = await committedOffsets(cluster, group)
  const { refs, state, offsetOf } =
    source.kind === 'target'
      ? await byTarget(cluster, committed, { target: source.target, scopes })
      : await byOffsets(cluster, await offsetsFrom(cluster, group, source), scopes)
  const { starts, ends } = await boundsOf(cluster, refs)
  const target = source.kind === 'target' ? source.target : undefined
  const times = target?.kind === 'time' ? await offsetsAt(cluster, state, refs, target.timestamp) : undefined
  const before = new Map(committed.map((one) => [keyOf(one), one.offset]))
  return refs.map((ref) => {
    const key = keyOf(ref)
    const [start, end, time] = [starts, ends, times].map((offsets) => offsets?.get(key))
    if (start === undefined || end === undefined || (times !== undefined && time === undefined)) throw unknownBounds(key)
    const from = before.get(key)
    const to = wantedOffset(offsetOf(ref), { start, end, committed: from, time })
    if (to === undefined)
      throw new UserError('LKS-1004', {
        what: `${key} has no committed offset to count from`,
        fix: ['use an absolute target: --to start, end, @TIME or an offset'],
      })
    return { ...ref, from, to, end }
  })
}

interface WantedOffsets {
  readonly refs: readonly PartitionRef[]
  readonly state: ClusterState
  readonly offsetOf: (ref: PartitionRef) => SeekTarget
}

async function byTarget(
  cluster: ClusterClient,
  committed: readonly CommittedPosition[],
  { target, scopes }: { readonly target: SeekTarget; readonly scopes: readonly TopicScope[] | undefined },
): Promise<WantedOffsets> {
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
  return { refs: refs.map(({ topic, partition }) => ({ topic, partition })), state, offsetOf: () => target }
}

/** Offsets of topics or partitions that do not exist are an error: the rest would look like success. */
async function byOffsets(cluster: ClusterClient, offsets: readonly FileOffset[], scopes: SeekWish['scopes']): Promise<WantedOffsets> {
  const wanted = offsets.filter(
    ({ topic, partition }) =>
      scopes === undefined || scopes.some((scope) => scope.topic === topic && (scope.partitions?.includes(partition) ?? true)),
  )
  const state = await clusterState(cluster, [...new Set(wanted.map(({ topic }) => topic))])
  for (const { topic, partition } of wanted) checkPartition(existing(cluster, state, topic), partition)
  const byKey = new Map(wanted.map((one) => [keyOf(one), one.offset]))
  return {
    refs: wanted.map(({ topic, partition }) => ({ topic, partition })),
    state,
    offsetOf(ref) {
      const offset = byKey.get(keyOf(ref))
      if (offset === undefined) throw new RangeError(`no offset is wanted for ${keyOf(ref)}`)
      return { kind: 'offset', offset }
    },
  }
}

async function offsetsFrom(
  cluster: ClusterClient,
  group: string,
  source: Exclude<SeekSource, { kind: 'target' }>,
): Promise<readonly FileOffset[]> {
  if (source.kind === 'group') {
    const found = await committedOffsets(cluster, source.group)
    if (found.length > 0) return found
    await describeGroup(cluster, source.group)
    throw new UserError('LKS-4009', { what: `group '${source.group}' has no committed offsets`, fix: ['list the groups: lks group lag'] })
  }
  const { path } = source
  const parsed = parseOffsetsFile(await textOf(path), group)
  if (parsed.kind === 'wrong')
    throw new UserError('LKS-1004', {
      what: `--from-file: line ${parsed.line} of ${path}: ${parsed.why}`,
      fix: ['each line is topic,partition,offset, as --save writes it'],
    })
  if (parsed.offsets.length === 0)
    throw new UserError('LKS-1004', {
      what: `--from-file: ${path} has no offset for group '${group}'`,
      fix: ['each line is topic,partition,offset, as --save writes it'],
    })
  return parsed.offsets
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new UserError('LKS-1004', {
      what: `--from-file: ${path} cannot be read`,
      why: errorText(error),
      fix: ['name an existing file'],
      cause: error,
    })
  }
}

function chosen(topics: readonly TopicState[], scopes: readonly TopicScope[]): readonly PartitionRef[] {
  const refs = new Map<string, PartitionRef>()
  for (const { topic: name, partitions } of scopes) {
    const topic = topics.find((candidate) => candidate.name === name)
    if (topic === undefined) continue
    for (const partition of partitions ?? topic.partitions.map((one) => one.partition)) {
      checkPartition(topic, partition)
      refs.set(keyOf({ topic: name, partition }), { topic: name, partition })
    }
  }
  return [...refs.values()]
}

function checkPartition({ name, partitions }: TopicState, partition: number): void {
  if (partitions.some((one) => one.partition === partition)) return
  throw new UserError('LKS-4008', {
    what: `topic '${name}' has no partition ${partition}`,
    why: `it has ${partitions.length}`,
    fix: [`check it: lks topic describe ${name}`],
  })
}

function unknownBounds(key: string): UserError {
  return new UserError('LKS-4007', {
    what: `the first and last offset of ${key} are unknown`,
    why: 'its leader is not available',
    fix: ['check it: lks cluster health', `leave it out: --topics`],
  })
}

/** Throws a UserError when the group has members, or does not exist and may not be new. */
export async function checkIdle(cluster: ClusterClient, group: string, { mayBeNew }: { readonly mayBeNew: boolean }): Promise<void> {
  try {
    const { members, state } = await describeGroup(cluster, group)
    if (members.length > 0 || (state !== 'Empty' && state !== 'Dead')) throw activeGroup(group, members.length)
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'LKS-4009') throw error
    if (!mayBeNew) throw noGroup(group)
  }
}

/** `members`: undefined if their number is not known. */
export function activeGroup(group: string, members: number | undefined): UserError {
  return new UserError('LKS-4011', {
    what: `group '${group}' has ${members === undefined ? 'active members' : counted(members, 'active member')}; nothing was changed`,
    why: 'they would keep their position and overwrite the change',
    fix: ['stop them first', `list them: lks group describe ${group}`],
  })
}
