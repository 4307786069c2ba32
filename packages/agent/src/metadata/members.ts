// Cluster membership: incarnations and their fencing, the leases of agents, and the owners of slots.
import { must } from '../core/assert.ts'
import type { Incarnation, IncarnationId, Nonce, Sequence } from '../core/ids.ts'
import { type Cluster, lockCluster, lockedCounters } from './cluster.ts'
import { isUnmoved, type Lease } from './lease.ts'
import type {
  Beat,
  GivenSlots,
  GiveSlots,
  HttpUrls,
  Member,
  RegisterInput,
  RegisterResult,
  SlotOwner,
  TakenSlots,
  TakeSlots,
} from './metadata-store.ts'
import { type Body, type Call, read, unchanged } from './sql.ts'
import { type Nothing, statement, statementPerRow } from './statement.ts'

/**
 * Fences the incarnations that `fences` names, under their row locks, so the last commit of each is either before this transaction or rejected. A lease
 * that has beaten since the caller read it is not fenced. No living agent loses a slot. A fenced incarnation cannot have a commit in flight after that
 * lock. Incarnations change their state only under the cluster's lock, so the leases that are read after it stay as they are.
 */
export function* register(input: RegisterInput, cluster: Cluster): Body<RegisterResult> {
  const { agent, nonce, advertised, machine, rack, fences } = input
  const [locked, [again], leases] = yield* read(lockCluster(), readIncarnationByNonce({ nonce }), readLeases())
  const counters = lockedCounters(locked, cluster)
  const fenced = leases.filter((lease) =>
    typeof fences === 'string' ? fences === 'all' || lease.agent === agent : fences.some((watched) => isUnmoved(lease, watched)),
  )
  const [[agentRow], slots] = yield* read(readAgent({ agent }), readAllSlots(), lockIncarnations(fenced))
  if (again !== undefined && agentRow !== undefined)
    return unchanged({ kind: 'registered', incarnation: { id: again.id, nonce }, brokerId: agentRow.brokerId, slots })
  const living = leases.filter((lease) => !fenced.includes(lease))
  const holder = living.find((lease) => lease.agent === agent)
  if (holder !== undefined) return unchanged({ kind: 'held', holder })

  const id: IncarnationId = counters.nextIncarnation
  const brokerId = agentRow?.brokerId ?? counters.nextBrokerId
  const { taken, after } = takenBy(id, slots, living)
  return {
    writes: [
      fenceIncarnations(fenced),
      insertIncarnation({ id, nonce, agent }),
      writeAgent({ agent, brokerId, incarnation: id, ...advertised, machine, rack }),
      takeRanges(rangesOf(taken), { owner: id }),
      countMember({ nextIncarnation: id + 1, nextBrokerId: agentRow === undefined ? brokerId + 1 : counters.nextBrokerId }),
    ],
    value: {
      kind: 'registered',
      incarnation: { id, nonce },
      brokerId,
      slots: after,
    },
  }
}

/**
 * Fences the agents whose leases were silent, unless they have beaten since, and takes every slot that no living agent owns. The old owners are fenced under
 * their row locks in the same transaction, so no commit of theirs can be in flight after it. Incarnations are locked in the order of their numbers.
 */
export function* takeSlots({ incarnation, silent }: TakeSlots, cluster: Cluster): Body<TakenSlots> {
  const [locked, leases] = yield* read(lockCluster(), readLeases())
  lockedCounters(locked, cluster)
  const others = leases.filter((lease) => lease.incarnation !== incarnation.id)
  const fenced = others.filter((lease) => silent.some((watched) => isUnmoved(lease, watched)))
  const toLock = [...fenced.map((lease) => lease.incarnation), incarnation.id].toSorted((a, b) => a - b)
  const [, [held], slots] = yield* read(
    lockIncarnations(toLock.map((one) => ({ incarnation: one }))),
    readIncarnation(incarnation),
    readAllSlots(),
  )
  if (held?.state !== 'active') return unchanged({ kind: 'fenced' })
  const living = leases.filter((lease) => !fenced.includes(lease))
  const { taken, after } = takenBy(incarnation.id, slots, living)
  const value: TakenSlots = { kind: 'taken', fenced, taken: taken.length, slots: after }
  if (fenced.length === 0 && taken.length === 0) return unchanged(value)
  return { writes: [fenceIncarnations(fenced), takeRanges(rangesOf(taken), { owner: incarnation.id }), countSlotsChange()], value }
}

/** The slots that no living agent owns go to the taker, each under the next epoch. */
function takenBy(
  taker: IncarnationId,
  slots: readonly SlotOwner[],
  living: readonly Lease[],
): { readonly taken: readonly SlotOwner[]; readonly after: readonly SlotOwner[] } {
  const owners = new Set(living.map((lease) => lease.incarnation))
  const isTaken = ({ owner }: SlotOwner): boolean => owner === null || !owners.has(owner)
  return {
    taken: slots.filter(isTaken),
    after: slots.map((slot) => (isTaken(slot) ? { slot: slot.slot, owner: taker, epoch: slot.epoch + 1 } : slot)),
  }
}

/** The leases of all active incarnations. */
export function* listLeases(_input: Record<never, never>): Body<readonly Lease[]> {
  const [leases] = yield* read(readLeases())
  return unchanged(leases)
}

/** The lease is a counter, so no clock takes part. Only an active incarnation raises it. */
export function* beat({ incarnation, http }: { readonly incarnation: Incarnation; readonly http: HttpUrls }): Body<Beat> {
  const [[held], members, [versions]] = yield* read(readIncarnation(incarnation), readMembers(), readVersions())
  const kind = held?.state === 'active' ? 'active' : 'fenced'
  return {
    writes: kind === 'active' ? [raiseBeats({ incarnation: incarnation.id, ...http })] : [],
    value: { kind, members, ...must(versions, 'the row of the cluster') },
  }
}

export function* listSlots(_input: Record<never, never>): Body<readonly SlotOwner[]> {
  const [slots] = yield* read(readAllSlots())
  return unchanged(slots)
}

/** The receivers live: agents are fenced only under the cluster's lock. No commit of the giver is in flight, because each holds the lock of its incarnation. */
export function* giveSlotsAway({ incarnation, gifts }: GiveSlots): Body<GivenSlots> {
  const [, [held], leases, slots] = yield* read(lockCluster(), lockIncarnation(incarnation), readLeases(), readAllSlots())
  if (held?.state !== 'active') return unchanged({ kind: 'fenced' })
  const living = new Set(leases.map((lease) => lease.incarnation))
  const own = new Set(slots.flatMap(({ slot, owner }) => (owner === incarnation.id ? [slot] : [])))
  const given = gifts.filter(({ slot, to }) => own.has(slot) && living.has(to) && to !== incarnation.id)
  if (given.length === 0) return unchanged({ kind: 'given', given: 0, slots })
  const receiverOf = new Map(given.map(({ slot, to }) => [slot, to]))
  const after = slots.map((one) => {
    const owner = receiverOf.get(one.slot)
    return owner === undefined ? one : { slot: one.slot, owner, epoch: one.epoch + 1 }
  })
  return {
    writes: [giveSlots(given.map(({ slot, to }) => ({ slot, owner: to }))), countSlotsChange()],
    value: { kind: 'given', given: given.length, slots: after },
  }
}

/** The slots go to the living agents, each to the one with the fewest, so that neighbours go to different agents. Without another agent they have no owner. */
export function* leave(incarnation: Incarnation): Body<void> {
  const [, [held], leases, slots] = yield* read(lockCluster(), lockIncarnation(incarnation), readLeases(), readAllSlots())
  if (held?.state !== 'active') return unchanged(undefined)
  const counts = new Map(leases.filter((lease) => lease.incarnation !== incarnation.id).map((lease) => [lease.incarnation, 0]))
  for (const { owner } of slots) if (owner !== null && counts.has(owner)) counts.set(owner, (counts.get(owner) ?? 0) + 1)
  const given: { readonly slot: number; readonly owner: IncarnationId }[] = []
  for (const { slot, owner } of counts.size === 0 ? [] : slots) {
    if (owner !== incarnation.id) continue
    const [receiver, count] = fewest(counts)
    counts.set(receiver, count + 1)
    given.push({ slot, owner: receiver })
  }
  return {
    writes: [
      giveSlots(given),
      giveSlotsUp({ owner: incarnation.id }),
      fenceIncarnations([{ incarnation: incarnation.id }]),
      countSlotsChange(),
    ],
    value: undefined,
  }
}

function fewest(counts: ReadonlyMap<IncarnationId, number>): readonly [IncarnationId, number] {
  return must(
    [...counts].reduce((least, one) => (one[1] < least[1] ? one : least)),
    'a living agent',
  )
}

// ---- incarnations -------------------------------------------------------------------------------------------------------------------

interface HeldIncarnation {
  readonly state: 'active' | 'fenced'
  readonly lastSequence: number
}

const selectIncarnation = `SELECT state, last_sequence AS "lastSequence" FROM incarnations
  WHERE cluster = $cluster AND incarnation = $id AND nonce = $nonce`
/** Every commit and every takeover locks this row first. No row: the incarnation number belongs to another database. */
export const lockIncarnation = statement<Incarnation, HeldIncarnation>('lock incarnation', `${selectIncarnation} FOR NO KEY UPDATE`)
const readIncarnation = statement<Incarnation, HeldIncarnation>('read incarnation', selectIncarnation)

export const advanceIncarnation = statement<{ readonly incarnation: IncarnationId; readonly sequence: Sequence }>(
  'advance incarnation',
  'UPDATE incarnations SET last_sequence = $sequence WHERE cluster = $cluster AND incarnation = $incarnation',
)

export const readIncarnationByNonce = statement<{ readonly nonce: Nonce }, { readonly id: IncarnationId }>(
  'read incarnation by nonce',
  'SELECT incarnation AS id FROM incarnations WHERE cluster = $cluster AND nonce = $nonce',
)

/** Locks in the order of the incarnation numbers, so that two transactions never deadlock. */
export const lockIncarnations = statementPerRow<{ readonly incarnation: IncarnationId }>(
  'lock incarnations',
  { incarnation: 'bigint' },
  'SELECT 1 FROM incarnations AS i WHERE i.cluster = $cluster AND i.incarnation = $incarnation ORDER BY i.incarnation FOR NO KEY UPDATE OF i',
)

export const fenceIncarnations = statementPerRow<{ readonly incarnation: IncarnationId }>(
  'fence incarnations',
  { incarnation: 'bigint' },
  `UPDATE incarnations SET state = 'fenced', fenced_at_ms = now_ms() WHERE cluster = $cluster AND incarnation = $incarnation AND state = 'active'`,
)

export const insertIncarnation = statement<Incarnation & { readonly agent: string }>(
  'insert incarnation',
  `INSERT INTO incarnations (cluster, incarnation, nonce, agent, state, last_sequence, created_at_ms)
    VALUES ($cluster, $id, $nonce, $agent, 'active', 0, now_ms())`,
)

const countMember = statement<{ readonly nextIncarnation: number; readonly nextBrokerId: number }>(
  'count member',
  `UPDATE clusters SET next_incarnation = $nextIncarnation, next_broker_id = $nextBrokerId, slots_version = slots_version + 1
    WHERE cluster = $cluster`,
)

// ---- agents -------------------------------------------------------------------------------------------------------------------------

const readAgent = statement<{ readonly agent: string }, { readonly brokerId: number }>(
  'read agent',
  'SELECT broker_id AS "brokerId" FROM agents WHERE cluster = $cluster AND agent = $agent',
)

interface AgentRow {
  readonly agent: string
  readonly brokerId: number
  readonly incarnation: IncarnationId
  readonly host: string
  readonly port: number
  readonly machine: string | null
  readonly rack: string | null
}

const writeAgent = statement<AgentRow>(
  'write agent',
  `INSERT INTO agents (cluster, agent, broker_id, incarnation, host, port, machine, rack, beats)
    VALUES ($cluster, $agent, $brokerId, $incarnation, $host, $port, $machine, $rack, 0)
    ON CONFLICT (cluster, agent) DO UPDATE
    SET incarnation = excluded.incarnation, host = excluded.host, port = excluded.port, machine = excluded.machine, rack = excluded.rack,
      beats = 0, control_url = NULL, data_url = NULL`,
)

const readLeases = statement<Nothing, Lease>(
  'read leases',
  `SELECT i.incarnation, i.agent, i.created_at_ms AS "sinceMs", a.beats, a.host, a.port, a.machine FROM incarnations AS i
    JOIN agents AS a ON a.cluster = i.cluster AND a.agent = i.agent AND a.incarnation = i.incarnation
    WHERE i.cluster = $cluster AND i.state = 'active' ORDER BY i.incarnation`,
)

const readMembers = statement<Nothing, Member>(
  'read members',
  `SELECT a.broker_id AS "brokerId", a.agent, a.incarnation, a.beats, a.host, a.port, a.rack, a.control_url AS "controlUrl",
    a.data_url AS "dataUrl"
    FROM agents AS a JOIN incarnations AS i ON i.cluster = a.cluster AND i.incarnation = a.incarnation
    WHERE a.cluster = $cluster AND i.state = 'active' ORDER BY a.broker_id`,
)

const raiseBeats = statement<{ readonly incarnation: IncarnationId } & HttpUrls>(
  'raise beats',
  'UPDATE agents SET beats = beats + 1, control_url = $controlUrl, data_url = $dataUrl WHERE cluster = $cluster AND incarnation = $incarnation',
)

// ---- slots --------------------------------------------------------------------------------------------------------------------------

/** A commit needs no lock on slots: an owner changes only under the old owner's incarnation row, which the commit has locked. */
/** Neighbouring partitions have neighbouring slots, so one range has those of many. */
export function readSlots(slots: Iterable<number>): Call<SlotOwner> {
  const ordered = [...new Set(slots)].toSorted((a, b) => a - b).map((slot) => ({ slot }))
  return readSlotRanges(rangesOf(ordered))
}

const readSlotRanges = statementPerRow<SlotRange, SlotOwner>(
  'read slots',
  { first: 'int', last: 'int' },
  'SELECT s.slot, s.owner, s.epoch FROM slots AS s WHERE s.cluster = $cluster AND s.slot BETWEEN $first AND $last',
)

const readAllSlots = statement<Nothing, SlotOwner>(
  'read all slots',
  'SELECT slot, owner, epoch FROM slots WHERE cluster = $cluster ORDER BY slot',
)

interface SlotRange {
  readonly first: number
  readonly last: number
}

/** An agent takes all slots or those of an agent that ended, so a few ranges stand for hundreds of slots. */
const takeRanges = statementPerRow<SlotRange, Nothing, { readonly owner: IncarnationId }>(
  'take slots',
  { first: 'int', last: 'int' },
  'UPDATE slots SET owner = $owner, epoch = epoch + 1 WHERE cluster = $cluster AND slot BETWEEN $first AND $last',
)

/** The ranges without gaps of slots that are in order. */
function rangesOf(slots: readonly Pick<SlotOwner, 'slot'>[]): readonly SlotRange[] {
  const ranges: SlotRange[] = []
  for (const { slot } of slots) {
    const range = ranges.at(-1)
    if (range?.last === slot - 1) ranges[ranges.length - 1] = { first: range.first, last: slot }
    else ranges.push({ first: slot, last: slot })
  }
  return ranges
}

/** By the owner, under its own incarnation's row lock. */
const giveSlots = statementPerRow<{ readonly slot: number; readonly owner: IncarnationId }>(
  'give slots',
  { slot: 'int', owner: 'bigint' },
  'UPDATE slots SET owner = $owner, epoch = epoch + 1 WHERE cluster = $cluster AND slot = $slot',
)

const giveSlotsUp = statement<{ readonly owner: IncarnationId }>(
  'give slots up',
  'UPDATE slots SET owner = NULL WHERE cluster = $cluster AND owner = $owner',
)

const readVersions = statement<Nothing, { readonly slotsVersion: number; readonly viewVersion: number }>(
  'read versions',
  'SELECT slots_version AS "slotsVersion", view_version AS "viewVersion" FROM clusters WHERE cluster = $cluster',
)

const countSlotsChange = statement('count slots change', 'UPDATE clusters SET slots_version = slots_version + 1 WHERE cluster = $cluster')
