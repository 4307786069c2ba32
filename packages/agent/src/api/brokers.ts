// The live agents as a client sees them: Kafka's brokers, with the addresses that this client can reach.
import type { TopicId } from '../core/ids.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { Services } from '../services.ts'
import type { RequestContext } from './request-context.ts'

export interface Broker {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/**
 * In order of id. The list has this agent, even before its first heartbeat, but not when it has left and its clients should move. While it is alone, its address is the one
 * that the client connected to. Beside others it is the one that they name, too: a client that gets two addresses of one broker connects again with each answer, and kafkajs
 * ends its consumer. An agent that listens everywhere and was given no address to advertise has no other than that of the connection.
 */
export function brokersFor(context: RequestContext, { owners }: Pick<Services, 'owners'>): readonly Broker[] {
  const brokers = Array.from(owners.members, ({ brokerId, host, port, rack }): Broker => ({ nodeId: brokerId, host, port, rack }))
  const others = brokers.filter(({ nodeId }) => nodeId !== owners.brokerId)
  if (owners.isFenced && others.length > 0) return inOrder(others)
  const own = others.length > 0 ? brokers.find(({ nodeId, host }) => nodeId === owners.brokerId && !everywhere.has(host)) : undefined
  return inOrder([own ?? { nodeId: owners.brokerId, ...context.advertised, rack: owners.rack }, ...others])
}

/** No client can connect to them. */
const everywhere: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

function inOrder(brokers: readonly Broker[]): readonly Broker[] {
  return brokers.toSorted((a, b) => a.nodeId - b.nodeId)
}

/** The addresses of the leaders for a client that asked the wrong agent (KIP-951); live agents only. */
export function endpointsOf(leaders: Iterable<number>, context: RequestContext, services: Pick<Services, 'owners'>): readonly Broker[] {
  const wanted = new Set(leaders)
  return wanted.size === 0 ? [] : brokersFor(context, services).filter(({ nodeId }) => wanted.has(nodeId))
}

export function currentLeader(
  { owners }: Pick<Services, 'owners'>,
  topicId: TopicId,
  partition: number,
): { readonly leaderId: number; readonly leaderEpoch: number } {
  const { leader, epoch } = owners.ofPartition(topicId, partition)
  return { leaderId: leader ?? -1, leaderEpoch: epoch }
}

/**
 * The brokers that have a partition, as clients see them: its leader, its readers in other racks, and other agents up to the topic's replication factor. All are in
 * sync, because they share the object store. Java's consumer fetches from a preferred read replica only if Metadata lists it here.
 */
export function replicasOf(
  { owners }: Pick<Services, 'owners'>,
  leader: number | undefined,
  { replicationFactor }: Pick<Topic, 'replicationFactor'>,
): { readonly replicaNodes: readonly number[]; readonly isrNodes: readonly number[] } {
  const nodes = leader === undefined ? [] : owners.replicas(leader, replicationFactor)
  return { replicaNodes: nodes, isrNodes: nodes }
}

/**
 * The error for the leader epoch that a client sent (KIP-320); undefined when it is right, or when the client sent none. Also undefined for a partition that
 * the topic does not have, because its look-up has the error, and for one of another agent: any agent can read it, and its leader may be on the move.
 */
export function epochError(
  { owners }: Pick<Services, 'owners'>,
  { topicId, partitions }: Pick<Topic, 'topicId' | 'partitions'>,
  ask: { readonly partition: number; readonly currentLeaderEpoch: number },
): 'FENCED_LEADER_EPOCH' | 'UNKNOWN_LEADER_EPOCH' | undefined {
  if (ask.partition < 0 || ask.partition >= partitions) return undefined
  const { mine, epoch } = owners.ofPartition(topicId, ask.partition)
  if (!mine || ask.currentLeaderEpoch === -1 || ask.currentLeaderEpoch === epoch) return undefined
  return ask.currentLeaderEpoch < epoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH'
}
