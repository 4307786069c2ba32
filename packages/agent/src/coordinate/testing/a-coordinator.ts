// A coordinator on a database in memory and a manual clock, with the requests of a member, for the tests of this folder.
import { randomBytes, randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import type { ClassicSettings, JoinRequest } from '../../core/group/classic-messages.ts'
import { defaultLimits } from '../../limits.ts'
import type { GroupStore, OffsetToCommit, SavedGroup } from '../../metadata/metadata-store.ts'
import { type OpenedMetadata, openMetadata } from '../../metadata/open.ts'
import { openSqlite } from '../../metadata/sqlite.ts'
import { aTopic, registered } from '../../metadata/testing/a-cluster.ts'
import type { AgentEvent } from '../../observe/events.ts'
import { ManualClock, steadyRandom } from '../../time/testing/manual-clock.ts'
import { Turns } from '../../time/turns.ts'
import { Owners } from '../../view/owners.ts'
import { Groups } from '../groups.ts'
import { MemberMemory } from '../member-memory.ts'

export const ownsNothing = { userData: null, ownedPartitions: [], generationId: -1, rackId: null }

export interface CoordinatorOptions {
  readonly settings?: Partial<ClassicSettings>
  readonly groupBytes?: number
  /** Wraps the store's save. */
  readonly save?: (save: GroupStore['save'], input: Parameters<GroupStore['save']>[0]) => Promise<SavedGroup>
  readonly expire?: (expire: GroupStore['expire'], input: Parameters<GroupStore['expire']>[0]) => Promise<void>
}

export interface CoordinatorForTests {
  readonly groups: Groups
  readonly store: OpenedMetadata
  readonly topicId: string
  readonly clock: ManualClock
  readonly owners: Owners
  readonly memberMemory: MemberMemory
  readonly events: readonly AgentEvent[]
  /** The group reads of the database: heads of many groups, or one group to load. */
  readonly reads: ('find' | 'open')[]
  /** The next incarnation of the same agent, on the same database: it takes all slots. */
  readonly restart: () => Promise<Groups>
}

export async function aCoordinator({
  settings = {},
  groupBytes = defaultLimits.groupBytes,
  save,
  expire,
}: CoordinatorOptions = {}): Promise<CoordinatorForTests> {
  const clock = new ManualClock()
  const sql = openSqlite({ path: ':memory:', durability: 'memory', now: () => clock.now() })
  const store = await openMetadata(sql, { newClusterId: randomUUID(), clock, random: steadyRandom() })
  const { topicId } = await aTopic(store, { name: 'topic', partitions: 4 })
  const memberMemory = new MemberMemory(groupBytes)
  const events: AgentEvent[] = []
  const reads: ('find' | 'open')[] = []
  const life = async (): Promise<{ readonly groups: Groups; readonly owners: Owners }> => {
    const { incarnation, brokerId, slots } = await registered(store, 'me', 'all')
    const owners = new Owners({ slots: store.slots, brokerId, incarnation })
    owners.publishSlots(slots)
    const groups = new Groups({
      store: {
        ...store.groups,
        find(groupIds) {
          reads.push('find')
          return store.groups.find(groupIds)
        },
        open(input) {
          reads.push('open')
          return store.groups.open(input)
        },
        ...(save && { save: (input: Parameters<typeof save>[1]) => save((given) => store.groups.save(given), input) }),
        ...(expire && { expire: (input: Parameters<typeof expire>[1]) => expire((given) => store.groups.expire(given), input) }),
      },
      owners,
      incarnation,
      clock,
      turns: new Turns({ soon: (callback) => void setImmediate(callback) }),
      random: { next: Math.random, bytes: (length) => randomBytes(length) },
      emit: (event) => void events.push(event),
      settings: { ...theSettings, ...settings },
      memberMemory,
      offsetsRetentionMs: 3_600_000,
      offsetsCheckMs: 600_000,
    })
    return { groups, owners }
  }
  const first = await life()
  return { ...first, memberMemory, reads, store, topicId, clock, events, restart: async () => (await life()).groups }
}

export const theSettings: ClassicSettings = {
  initialRebalanceDelayMs: 0,
  minSessionTimeoutMs: 1,
  maxSessionTimeoutMs: 1_800_000,
  maxSize: 100,
  newMemberJoinTimeoutMs: 300_000,
  leaveOnDisconnect: false,
  reconnectMs: 2_000,
}

export interface CoordinatorMember {
  readonly memberId: string
  readonly groupInstanceId: null
  readonly generation: number
}

export function aJoin(more: Partial<JoinRequest>): JoinRequest {
  return {
    kind: 'join',
    version: 9,
    memberId: '',
    groupInstanceId: null,
    unique: randomUUID(),
    clientId: 'me',
    clientHost: '127.0.0.1',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0, 0, 0) }],
    ...more,
  }
}

export async function joined(
  groups: Groups,
  groupId: string,
  more: Partial<JoinRequest> = {},
  signal?: AbortSignal,
): Promise<CoordinatorMember> {
  const first = await groups.ask(groupId, aJoin(more), signal)
  expect(first.error).toBe('MEMBER_ID_REQUIRED')
  const { error, memberId, generation } = await groups.ask(groupId, aJoin({ ...more, memberId: first.memberId }), signal)
  expect(error).toBe('NONE')
  return { memberId, groupInstanceId: null, generation }
}

export async function synced(
  groups: Groups,
  groupId: string,
  member: CoordinatorMember,
  connection?: number,
  signal?: AbortSignal,
): Promise<void> {
  const assignments = [{ memberId: member.memberId, assignment: assignment() }]
  const sync = { kind: 'sync', protocolType: null, protocolName: null, assignments, connection, ...member } as const
  expect(await groups.ask(groupId, sync, signal)).toMatchObject({ error: 'NONE', assignment: assignment() })
}

export function assignment(): Uint8Array {
  return Uint8Array.of(1, 2, 3)
}

export function at(topicId: string, partition: number, offset: number): OffsetToCommit {
  return { topicId, partition, offset, leaderEpoch: -1, metadata: '' }
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
