// Who is there: incarnations and their fencing, the leases of agents, and the owners of slots.
import type { Incarnation, IncarnationId, Nonce } from '../core/ids.ts'
import { type InCluster, lockCluster } from './cluster.ts'
import { isUnmoved, type Lease } from './lease.ts'
import { type Member, type Members, MetadataError, type RegisterInput, type RegisterResult, type SlotOwner } from './metadata-store.ts'
import { type Body, read, statement, unchanged } from './sql.ts'

type Beat = Awaited<ReturnType<Members['beat']>>

/**
 * Fences what `input.fences` names, under the incarnations' row locks, so the last commit of each is either before this transaction or rejected. A lease
 * that has beaten since the caller watched it is not fenced. Slots are taken from no living agent: for the fenced, no commit can be in flight after that lock.
 * Incarnations change their state under the cluster's lock only, so the leases that are read behind it stay as they are.
 */
export function* register({ cluster, input }: InCluster<RegisterInput>): Body<RegisterResult> {
  const { agent, nonce, advertised, machine, fences } = input
  const [[counters], known, leases] = yield* read(
    lockCluster(cluster.number),
    readIncarnationByNonce(cluster.number, nonce),
    readLeases(cluster.number),
  )
  if (counters === undefined) throw new MetadataError('invalid', `Cluster ${cluster.id} is gone from the database.`)
  const fenced = fences === 'all' ? leases : leases.filter((lease) => fences.some((watched) => isUnmoved(lease, watched)))
  const [[agentRow], slots] = yield* read(
    readAgent(cluster.number, agent),
    readAllSlots(cluster.number),
    lockIncarnations(
      cluster.number,
      fenced.map((lease) => lease.incarnation),
    ),
  )
  const [again] = known
  if (again !== undefined && agentRow !== undefined)
    return unchanged({ kind: 'registered', incarnation: { id: again.id, nonce }, brokerId: agentRow.brokerId, slots })
  const living = leases.filter((lease) => !fenced.includes(lease))
  const holder = living.find((lease) => lease.agent === agent)
  if (holder !== undefined) return unchanged({ kind: 'held', holder })

  const id: IncarnationId = counters.nextIncarnation
  const brokerId = agentRow?.brokerId ?? counters.nextBrokerId
  const owners = new Set(living.map((lease) => lease.incarnation))
  const taken = new Set(slots.filter(({ owner }) => owner === null || !owners.has(owner)).map(({ slot }) => slot))
  return {
    writes: [
      fenceIncarnations(
        cluster.number,
        fenced.map((lease) => lease.incarnation),
      ),
      insertIncarnation(cluster.number, id, nonce, agent),
      writeAgent(cluster.number, agent, brokerId, id, advertised.host, advertised.port, machine),
      takeSlots(cluster.number, id, [...taken]),
      countMember(cluster.number, id + 1, agentRow === undefined ? brokerId + 1 : counters.nextBrokerId),
    ],
    value: {
      kind: 'registered',
      incarnation: { id, nonce },
      brokerId,
      slots: slots.map((slot) => (taken.has(slot.slot) ? { slot: slot.slot, owner: id, epoch: slot.epoch + 1 } : slot)),
    },
  }
}

/** Every lease of an incarnation that is active. */
export function* listLeases({ cluster }: InCluster<Record<never, never>>): Body<readonly Lease[]> {
  const [leases] = yield* read(readLeases(cluster.number))
  return unchanged(leases)
}

/** The lease is a counter: no clock takes part. Only an active incarnation raises it. */
export function* beat({ cluster, input }: InCluster<Incarnation>): Body<Beat> {
  const [[held], members, [version]] = yield* read(
    readIncarnation(cluster.number, input.id, input.nonce),
    readMembers(cluster.number),
    readSlotsVersion(cluster.number),
  )
  const kind = held?.state === 'active' ? 'active' : 'fenced'
  return {
    writes: kind === 'active' ? [raiseBeats(cluster.number, input.id)] : [],
    value: { kind, members, slotsVersion: version?.slotsVersion ?? 0 },
  }
}

export function* listSlots({ cluster }: InCluster<Record<never, never>>): Body<readonly SlotOwner[]> {
  const [slots] = yield* read(readAllSlots(cluster.number))
  return unchanged(slots)
}

export function* leave({ cluster, input }: InCluster<Incarnation>): Body<void> {
  const [, [held]] = yield* read(lockCluster(cluster.number), lockIncarnation(cluster.number, input.id, input.nonce))
  if (held?.state !== 'active') return unchanged(undefined)
  return {
    writes: [fenceIncarnations(cluster.number, [input.id]), giveSlotsUp(cluster.number, input.id), countSlotsChange(cluster.number)],
    value: undefined,
  }
}

// ---- incarnations -------------------------------------------------------------------------------------------------------------------

interface HeldIncarnation {
  readonly state: 'active' | 'fenced'
  readonly lastSequence: number
}

const incarnationSelect = 'SELECT state, last_sequence AS "lastSequence" FROM incarnations'
/** What every commit and every takeover locks first. No row: the number belongs to another database. */
export const lockIncarnation = statement<[cluster: number, incarnation: number, nonce: string], HeldIncarnation>('lock incarnation', {
  postgres: `${incarnationSelect} WHERE cluster = $1 AND incarnation = $2 AND nonce = $3 FOR NO KEY UPDATE`,
  sqlite: `${incarnationSelect} WHERE cluster = ?1 AND incarnation = ?2 AND nonce = ?3`,
})

export const advanceIncarnation = statement<[cluster: number, incarnation: number, lastSequence: number]>('advance incarnation', {
  postgres: 'UPDATE incarnations SET last_sequence = $3 WHERE cluster = $1 AND incarnation = $2',
  sqlite: 'UPDATE incarnations SET last_sequence = ?3 WHERE cluster = ?1 AND incarnation = ?2',
})

const readIncarnation = statement<[cluster: number, incarnation: number, nonce: string], HeldIncarnation>('read incarnation', {
  postgres: `${incarnationSelect} WHERE cluster = $1 AND incarnation = $2 AND nonce = $3`,
  sqlite: `${incarnationSelect} WHERE cluster = ?1 AND incarnation = ?2 AND nonce = ?3`,
})

const readIncarnationByNonce = statement<[cluster: number, nonce: Nonce], { readonly id: IncarnationId }>('read incarnation by nonce', {
  postgres: 'SELECT incarnation AS id FROM incarnations WHERE cluster = $1 AND nonce = $2',
  sqlite: 'SELECT incarnation AS id FROM incarnations WHERE cluster = ?1 AND nonce = ?2',
})

const lockIncarnations = statement<[cluster: number, incarnations: number[]]>('lock incarnations', {
  each: true,
  postgres: 'SELECT 1 FROM incarnations WHERE cluster = $1 AND incarnation = ANY ($2::bigint[]) ORDER BY incarnation FOR NO KEY UPDATE',
  sqlite: 'SELECT 1 FROM incarnations WHERE cluster = ?1 AND incarnation = ?2',
})

const fenceIncarnations = statement<[cluster: number, incarnations: number[]]>('fence incarnations', {
  each: true,
  postgres: `UPDATE incarnations SET state = 'fenced' WHERE cluster = $1 AND incarnation = ANY ($2::bigint[])`,
  sqlite: `UPDATE incarnations SET state = 'fenced' WHERE cluster = ?1 AND incarnation = ?2`,
})

const insertIncarnation = statement<[cluster: number, incarnation: number, nonce: string, agent: string]>('insert incarnation', {
  postgres: `INSERT INTO incarnations (cluster, incarnation, nonce, agent, state, last_sequence, created_at_ms) VALUES ($1, $2, $3, $4, 'active', 0, now_ms())`,
  sqlite: `INSERT INTO incarnations (cluster, incarnation, nonce, agent, state, last_sequence, created_at_ms) VALUES (?1, ?2, ?3, ?4, 'active', 0, now_ms())`,
})

const countMember = statement<[cluster: number, nextIncarnation: number, nextBrokerId: number]>('count member', {
  postgres: `UPDATE clusters SET next_incarnation = $2, next_broker_id = $3, slots_version = slots_version + 1 WHERE cluster = $1`,
  sqlite: `UPDATE clusters SET next_incarnation = ?2, next_broker_id = ?3, slots_version = slots_version + 1 WHERE cluster = ?1`,
})

// ---- agents -------------------------------------------------------------------------------------------------------------------------

const readAgent = statement<[cluster: number, agent: string], { readonly brokerId: number }>('read agent', {
  postgres: 'SELECT broker_id AS "brokerId" FROM agents WHERE cluster = $1 AND agent = $2',
  sqlite: 'SELECT broker_id AS "brokerId" FROM agents WHERE cluster = ?1 AND agent = ?2',
})

const writeAgent = statement<
  [cluster: number, agent: string, brokerId: number, incarnation: number, host: string, port: number, machine: string | null]
>('write agent', {
  postgres: `INSERT INTO agents (cluster, agent, broker_id, incarnation, host, port, machine, beats) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)
    ON CONFLICT (cluster, agent) DO UPDATE
    SET incarnation = excluded.incarnation, host = excluded.host, port = excluded.port, machine = excluded.machine, beats = 0`,
  sqlite: `INSERT INTO agents (cluster, agent, broker_id, incarnation, host, port, machine, beats) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)
    ON CONFLICT (cluster, agent) DO UPDATE
    SET incarnation = excluded.incarnation, host = excluded.host, port = excluded.port, machine = excluded.machine, beats = 0`,
})

const leasesSelect = `SELECT i.incarnation, i.agent, i.created_at_ms AS "sinceMs", a.beats, a.host, a.port, a.machine FROM incarnations AS i
  JOIN agents AS a ON a.cluster = i.cluster AND a.agent = i.agent AND a.incarnation = i.incarnation`
const readLeases = statement<[cluster: number], Lease>('read leases', {
  postgres: `${leasesSelect} WHERE i.cluster = $1 AND i.state = 'active' ORDER BY i.incarnation`,
  sqlite: `${leasesSelect} WHERE i.cluster = ?1 AND i.state = 'active' ORDER BY i.incarnation`,
})

const membersSelect = `SELECT a.broker_id AS "brokerId", a.agent, a.incarnation, a.beats, a.host, a.port FROM agents AS a
  JOIN incarnations AS i ON i.cluster = a.cluster AND i.incarnation = a.incarnation`
const readMembers = statement<[cluster: number], Member>('read members', {
  postgres: `${membersSelect} WHERE a.cluster = $1 AND i.state = 'active' ORDER BY a.broker_id`,
  sqlite: `${membersSelect} WHERE a.cluster = ?1 AND i.state = 'active' ORDER BY a.broker_id`,
})

const raiseBeats = statement<[cluster: number, incarnation: number]>('raise beats', {
  postgres: 'UPDATE agents SET beats = beats + 1 WHERE cluster = $1 AND incarnation = $2',
  sqlite: 'UPDATE agents SET beats = beats + 1 WHERE cluster = ?1 AND incarnation = ?2',
})

// ---- slots --------------------------------------------------------------------------------------------------------------------------

/** Needs no lock in a commit: an owner changes only under the old owner's incarnation row, which the commit holds. */
export const readSlots = statement<[cluster: number, slots: number[]], SlotOwner>('read slots', {
  each: true,
  postgres: 'SELECT slot, owner, epoch FROM slots WHERE cluster = $1 AND slot = ANY ($2::int[])',
  sqlite: 'SELECT slot, owner, epoch FROM slots WHERE cluster = ?1 AND slot = ?2',
})

const readAllSlots = statement<[cluster: number], SlotOwner>('read all slots', {
  postgres: 'SELECT slot, owner, epoch FROM slots WHERE cluster = $1 ORDER BY slot',
  sqlite: 'SELECT slot, owner, epoch FROM slots WHERE cluster = ?1 ORDER BY slot',
})

const takeSlots = statement<[cluster: number, owner: number, slots: number[]]>('take slots', {
  each: true,
  postgres: 'UPDATE slots SET owner = $2, epoch = epoch + 1 WHERE cluster = $1 AND slot = ANY ($3::int[])',
  sqlite: 'UPDATE slots SET owner = ?2, epoch = epoch + 1 WHERE cluster = ?1 AND slot = ?3',
})

const giveSlotsUp = statement<[cluster: number, owner: number]>('give slots up', {
  postgres: 'UPDATE slots SET owner = NULL WHERE cluster = $1 AND owner = $2',
  sqlite: 'UPDATE slots SET owner = NULL WHERE cluster = ?1 AND owner = ?2',
})

const readSlotsVersion = statement<[cluster: number], { readonly slotsVersion: number }>('read slots version', {
  postgres: 'SELECT slots_version AS "slotsVersion" FROM clusters WHERE cluster = $1',
  sqlite: 'SELECT slots_version AS "slotsVersion" FROM clusters WHERE cluster = ?1',
})

const countSlotsChange = statement<[cluster: number]>('count slots change', {
  postgres: 'UPDATE clusters SET slots_version = slots_version + 1 WHERE cluster = $1',
  sqlite: 'UPDATE clusters SET slots_version = slots_version + 1 WHERE cluster = ?1',
})
