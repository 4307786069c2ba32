// Which agents serve a partition to consumers: its leader, and in every other rack the one agent that reads what this leader writes (KIP-392).

export interface RackedBroker {
  readonly brokerId: number
  /** The zone of the agent, as `broker.rack` names it. Null: it has none, and serves other agents' partitions only to those that ask it. */
  readonly rack: string | null
}

/**
 * The agent of each rack but the leader's. An object holds the batches of many partitions of one agent, so one reader per agent and rack requests it once for
 * the rack; a reader per partition would request it several times. The leaders outside of a rack are dealt to its agents in the order of their broker ids, so each
 * agent reads for about as many leaders. Empty if the leader does not live.
 */
export function readReplicasByRack(leader: number, brokers: readonly RackedBroker[]): ReadonlyMap<string, number> {
  const replicas = new Map<string, number>()
  const home = brokers.find(({ brokerId }) => brokerId === leader)
  if (home === undefined) return replicas
  const ordered = brokers.toSorted((a, b) => a.brokerId - b.brokerId)
  for (const [rack, agents] of Map.groupBy(ordered, (broker) => broker.rack)) {
    if (rack === null || rack === home.rack) continue
    const outside = ordered.filter((broker) => broker.rack !== rack)
    const reader = agents[outside.indexOf(home) % agents.length]
    if (reader !== undefined) replicas.set(rack, reader.brokerId)
  }
  return replicas
}
