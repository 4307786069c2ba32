// OffsetFetch answers the offsets that groups have committed.
// - Versions: 1–10; many groups from 8 on, topic ids from 10 on.
// - KIPs: 447 (require stable, 7+), 709 (many groups, 8+), 848 (member epochs, 9+).
// - A partition without a commit, or a group that does not exist, has offset -1.
// - With `requireStable` a partition with an offset that is pending in an open transaction is UNSTABLE_OFFSET_COMMIT: clients ask again.
// - Left out: the member's epoch has no effect on a classic group, as in Kafka.
import {
  errors,
  OffsetFetch,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
  type Outcome,
  zeroUuid,
} from '@local-kafka-service/protocol'
import { retriable } from '../coordinate/stored-groups.ts'
import { must } from '../core/assert.ts'
import { partitionKey } from '../core/ids.ts'
import { fixedLimits } from '../limits.ts'
import type { CommittedOffset, OffsetPlace, Topic } from '../metadata/metadata-store.ts'
import type { Services } from '../services.ts'
import { inSlices, type Slice, unitsOfName } from '../time/turns.ts'
import { mayTouch, topicsById, topicsByName } from './access.ts'
import { eachGroup } from './group-access.ts'
import { handler } from './handler.ts'
import type { RequestScope } from './request-context.ts'

/** The first version in which null means all topics, and the answer has a top-level error. */
const topErrorFrom = 2
const manyFrom = 8
const idsFrom = 10

type Uses = Pick<Services, 'turns' | 'topics' | 'gate' | 'groups' | 'transactionStore'>

export const offsetFetch = handler({
  api: OffsetFetch,
  access: { operation: 'DESCRIBE', resource: 'group' },
  async handle(request, context, services: Uses) {
    const scope = { context, services }
    if (context.apiVersion >= manyFrom) {
      const groups = await fetched(request.groups, request.requireStable, scope)
      return { kind: 'now', response: { throttleTimeMs: 0, topics: [], errorCode: 0, groups } }
    }
    const { groupId, topics } = request
    const asked = topics === null ? null : topics.map((topic) => ({ ...topic, topicId: zeroUuid }))
    const one = must((await fetched([{ groupId, topics: asked }], request.requireStable, scope))[0], 'the one group asked for')
    if (one.errorCode !== 0) return { kind: 'now', response: rejected(request, one.errorCode, context.apiVersion) }
    return { kind: 'now', response: { throttleTimeMs: 0, topics: one.topics, errorCode: 0, groups: [] } }
  },
  reject: (request, { code }, apiVersion) => rejected(request, code, apiVersion),
})

type GroupRequest = Pick<OffsetFetchRequest['groups'][number], 'groupId' | 'topics'>
type GroupResponse = NonNullable<OffsetFetchResponse['groups']>[number]
/** Each version writes the name or the id. */
type TopicResponse = GroupResponse['topics'][number] & { readonly name: string }
type PartitionResponse = TopicResponse['partitions'][number]
interface GroupOffsets {
  readonly groupId: string
  readonly topics: readonly TopicResponse[]
  readonly errorCode: number
}

const none = { committedOffset: -1, committedLeaderEpoch: -1, metadata: '' }

/** In the order of the request. All groups are read together, in slices; each group has its own error. */
async function fetched(
  groups: readonly GroupRequest[],
  requireStable: boolean,
  scope: RequestScope<Uses>,
): Promise<readonly GroupOffsets[]> {
  const { stored } = scope.services.groups
  const slice = scope.services.turns.slice()
  const codes: number[] = []
  const asked: GroupRequest[] = []
  const whole = new Set<string>()
  for (const group of groups) {
    const code = await errorCodeOf(group.groupId, scope)
    codes.push(code)
    if (code === 0) asked.push(group)
    if (code === 0 && group.topics === null) whole.add(group.groupId)
    if (slice.spent(unitsOfName(group.groupId))) await slice.next()
  }
  // Before the offsets are read: one that is not pending now is committed or dropped, so the offset that is read is not older.
  const unstable = requireStable ? await unstableIn(asked, scope) : noPlaces
  const all = await stored.offsets([...whole])
  const found = await foundTopics(
    asked.flatMap(({ topics }) => topics ?? []),
    scope,
  )
  const committed = await committedIn(asked, found, scope)
  const answers: GroupOffsets[] = []
  for (const [at, { groupId, topics }] of groups.entries()) {
    const errorCode = must(codes[at], 'each group asked for')
    if (errorCode !== 0) answers.push({ groupId, topics: [], errorCode })
    else if (topics === null)
      answers.push({ groupId, topics: await allTopics(all.get(groupId) ?? [], unstable.get(groupId), scope, slice), errorCode })
    else
      answers.push({
        groupId,
        topics: await askedTopics(topics, { found, committed: committed.get(groupId), unstable: unstable.get(groupId), slice }),
        errorCode,
      })
    if (slice.spent(1)) await slice.next()
  }
  return answers
}

async function errorCodeOf(groupId: string, scope: RequestScope<Uses>): Promise<number> {
  const outcome = await eachGroup(groupId, { operation: 'DESCRIBE', ...scope }, async () => scope.services.groups.check(groupId))
  return outcome.kind === 'ok' ? 0 : outcome.code
}

type Committed = ReadonlyMap<string, CommittedOffset>
/** The partitions with pending offsets, by `partitionKey`; undefined: none. */
type Unstable = ReadonlySet<string> | undefined
const noPlaces: ReadonlyMap<string, ReadonlySet<string>> = new Map()

async function unstableIn(
  groups: readonly GroupRequest[],
  { services }: RequestScope<Uses>,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const { transactionStore, turns } = services
  const places = new Map<string, Set<string>>()
  for await (const some of inSlices(groups, turns, fixedLimits.namesPerRead)) {
    const pending = await retriable(transactionStore.pendingIn(some.map(({ groupId }) => groupId)))
    for (const { groupId, topicId, partition } of pending) {
      const known = places.get(groupId) ?? new Set<string>()
      places.set(groupId, known.add(partitionKey(topicId, partition)))
    }
  }
  return places
}

/** The commits of the partitions that the request names, by group. */
async function committedIn(
  groups: readonly GroupRequest[],
  found: TopicLookup,
  { services }: RequestScope<Uses>,
): Promise<ReadonlyMap<string, Committed>> {
  const slice = services.turns.slice()
  const places: OffsetPlace[] = []
  for (const { groupId, topics } of groups) {
    for (const topic of topics ?? []) {
      const outcome = found(topic)
      if (outcome.kind === 'ok')
        for (const partition of topic.partitionIndexes) places.push({ groupId, topicId: outcome.value.topicId, partition })
      if (slice.spent(1 + topic.partitionIndexes.length)) await slice.next()
    }
    if (slice.spent(1)) await slice.next()
  }
  const committed = new Map<string, Map<string, CommittedOffset>>()
  for (const offset of await services.groups.stored.offsetsAt(places)) {
    const known = committed.get(offset.groupId) ?? new Map<string, CommittedOffset>()
    if (known.size === 0) committed.set(offset.groupId, known)
    known.set(partitionKey(offset.topicId, offset.partition), offset)
    if (slice.spent(1)) await slice.next()
  }
  return committed
}

async function allTopics(
  offsets: readonly CommittedOffset[],
  unstable: Unstable,
  scope: RequestScope<Uses>,
  slice: Slice,
): Promise<readonly TopicResponse[]> {
  const byTopic = new Map<string, { readonly name: string; readonly topicId: string; readonly partitions: PartitionResponse[] }>()
  for (const { topic, topicId, ...offset } of offsets) {
    if (slice.spent(1)) await slice.next()
    if (!mayTouch(topic, 'DESCRIBE', scope)) continue
    const known = byTopic.get(topicId) ?? { name: topic, topicId, partitions: [] }
    const isUnstable = unstable?.has(partitionKey(topicId, offset.partition)) === true
    known.partitions.push(isUnstable ? unstableResponse(offset.partition) : partitionResponse(offset.partition, offset))
    byTopic.set(topicId, known)
  }
  return [...byTopic.values()]
}

async function askedTopics(
  topics: NonNullable<GroupRequest['topics']>,
  {
    found,
    committed,
    unstable,
    slice,
  }: { readonly found: TopicLookup; readonly committed: Committed | undefined; readonly unstable: Unstable; readonly slice: Slice },
): Promise<readonly TopicResponse[]> {
  const answers: TopicResponse[] = []
  for (const topic of topics) {
    const { name, topicId, partitionIndexes } = topic
    const outcome = found(topic)
    const errorCode = outcome.kind === 'error' ? missing(outcome.code) : 0
    const partitions: PartitionResponse[] = []
    answers.push({ name, topicId, partitions })
    for (const partition of partitionIndexes) {
      if (slice.spent(1)) await slice.next()
      const key = outcome.kind === 'ok' ? partitionKey(outcome.value.topicId, partition) : undefined
      const offset = key === undefined ? undefined : committed?.get(key)
      if (key !== undefined && unstable?.has(key) === true) partitions.push(unstableResponse(partition))
      else partitions.push(offset === undefined ? { partitionIndex: partition, ...none, errorCode } : partitionResponse(partition, offset))
    }
  }
  return answers
}

type TopicLookup = (topic: { readonly name: string; readonly topicId: string }) => Outcome<Topic>

async function foundTopics(topics: NonNullable<GroupRequest['topics']>, scope: RequestScope<Uses>): Promise<TopicLookup> {
  if (scope.context.apiVersion >= idsFrom) {
    const byId = await topicsById(
      topics.map(({ topicId }) => topicId),
      { operation: 'DESCRIBE', ...scope },
    )
    return ({ topicId }) => must(byId.get(topicId), 'each id asked for')
  }
  const byName = await topicsByName(
    topics.map(({ name }) => name),
    { operation: 'DESCRIBE', ...scope },
  )
  return ({ name }) => must(byName.get(name), 'each name asked for')
}

/** An unknown name only has no commits; an unknown id is an error. */
function missing(code: number): number {
  return code === errors.UNKNOWN_TOPIC_OR_PARTITION.code ? 0 : code
}

function partitionResponse(
  partitionIndex: number,
  { offset, leaderEpoch, metadata }: Pick<CommittedOffset, 'offset' | 'leaderEpoch' | 'metadata'>,
): PartitionResponse {
  return { partitionIndex, committedOffset: offset, committedLeaderEpoch: leaderEpoch, metadata, errorCode: 0 }
}

function unstableResponse(partitionIndex: number): PartitionResponse {
  return { partitionIndex, ...none, errorCode: errors.UNSTABLE_OFFSET_COMMIT.code }
}

function rejected({ topics, groups }: OffsetFetchRequest, code: number, apiVersion: number): OffsetFetchResponse {
  if (apiVersion >= manyFrom)
    return { throttleTimeMs: 0, topics: [], errorCode: 0, groups: groups.map(({ groupId }) => ({ groupId, topics: [], errorCode: code })) }
  if (apiVersion >= topErrorFrom) return { throttleTimeMs: 0, topics: [], errorCode: code, groups: [] }
  return {
    throttleTimeMs: 0,
    topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, ...none, errorCode: code })),
    })),
    errorCode: 0,
    groups: [],
  }
}
