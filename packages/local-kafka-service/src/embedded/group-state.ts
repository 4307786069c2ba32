// The progress of a consumer group, from its coordinator's description: ready, caught up, or why not yet.
import type { GroupDescription as AgentGroup, GroupMember as AgentMember, AgentOperations } from '@local-kafka-service/agent'
import { errors } from '@local-kafka-service/protocol'
import type { ConnectedClient } from './event-listeners.ts'
import type { GroupDescription, GroupMember, GroupPartition } from './group.ts'
import { rejectionOf, withRejections } from './rejections.ts'

const seesAll = { maySee: () => true }

/** Undefined while the group does not exist. */
export async function groupState({ groups }: Pick<AgentOperations, 'groups'>, id: string): Promise<GroupDescription | undefined> {
  const found = await withRejections(groups.describe(id, seesAll))
  if (found.kind === 'ok') return describe(found.value)
  if (found.code === errors.GROUP_ID_NOT_FOUND.code) return undefined
  throw rejectionOf(found)
}

/** Undefined: it is ready. */
export function whyNotReady(
  group: GroupDescription | undefined,
  wanted: { readonly members: number; readonly clients: readonly ConnectedClient[] | undefined },
): string | undefined {
  if (group === undefined) return 'the group does not exist yet'
  if (group.members.length < wanted.members) return `${group.members.length} of ${wanted.members} members`
  if (group.state !== 'Stable') return `it is ${group.state}`
  const waiting = group.members.filter(({ assigned }) => !assigned)
  if (waiting.length > 0) return `${waiting.length} without an assignment`
  if (wanted.clients === undefined) return undefined
  return whoDoesNotFetch(group, wanted.clients)
}

/** Undefined: it has caught up. */
export function whyNotCaughtUp(group: GroupDescription | undefined): string | undefined {
  if (group === undefined) return 'the group does not exist yet'
  if (group.partitions.length === 0) return 'nothing is assigned or committed'
  const behind = group.partitions.find(({ lag }) => lag > 0)
  return behind === undefined ? undefined : `${behind.topic}[${behind.partition}] lags by ${behind.lag}`
}

export function lagOf({ partitions }: GroupDescription): number {
  return partitions.reduce((sum, { lag }) => sum + lag, 0)
}

/**
 * Only the client's name links members to connections. A consumer has its own connection, so for each name at least as many connections must have started
 * to fetch as members of that name have partitions.
 */
function whoDoesNotFetch({ members }: GroupDescription, clients: readonly ConnectedClient[]): string | undefined {
  const wanted = new Map<string, number>()
  for (const { clientId, partitions } of members) if (partitions.length > 0) wanted.set(clientId, (wanted.get(clientId) ?? 0) + 1)
  for (const [clientId, count] of wanted) {
    const fetching = clients.filter((client) => client.clientId === clientId && client.fetches).length
    if (fetching < count) return `client '${clientId}' has its partitions, but has not started to fetch`
  }
  return undefined
}

function describe({ groupId, state, generation, protocolName, members, partitions }: AgentGroup): GroupDescription {
  return {
    id: groupId,
    state,
    generation,
    protocol: protocolName,
    members: members.map(memberOf),
    partitions: partitions.map(
      ({ topic, partition, committed, start, end, lag, memberId }): GroupPartition => ({
        topic,
        partition,
        committed: committed?.offset,
        start,
        end,
        lag,
        memberId,
      }),
    ),
  }
}

function memberOf({ memberId, groupInstanceId, clientId, clientHost, synced, assignment = [] }: AgentMember): GroupMember {
  return {
    memberId,
    groupInstanceId: groupInstanceId ?? undefined,
    clientId,
    host: clientHost.replace(/^\//, ''),
    assigned: synced,
    partitions: assignment.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition }))),
  }
}
