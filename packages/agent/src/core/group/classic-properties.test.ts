// The invariants of a classic group: they hold for any actions of its members, in any order, and after any crash of the agent.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ClassicGroupState, ClassicSettings } from './classic-messages.ts'
import type { GroupState, Phase } from './classic-state.ts'
import { aSubscription, MachineClient, partitions } from './testing/client.ts'
import { aProtocol, GroupRun } from './testing/group-run.ts'

const instances = [null, null, null, 's', 't']

interface GroupUnderTest {
  readonly run: GroupRun
  readonly clients: readonly MachineClient[]
  readonly ledger: Ledger
}

/** One event. A failure's counterexample shows its name. */
class Action {
  readonly name: string
  readonly act: (world: GroupUnderTest) => void

  constructor(name: string, act: (world: GroupUnderTest) => void) {
    this.name = name
    this.act = act
  }

  toString(): string {
    return this.name
  }
}

const anybody = fc.nat(instances.length - 1)

/** An action of one client. */
function by<T>(name: string, choice: fc.Arbitrary<T>, act: (it: MachineClient, chosen: T) => void): fc.Arbitrary<Action> {
  return fc.tuple(anybody, choice).map(
    ([i, chosen]) =>
      new Action(`${i} ${name} ${JSON.stringify(chosen)}`, ({ clients }) => {
        const it = clients[i]
        if (it !== undefined) act(it, chosen)
      }),
  )
}

const nothing = fc.constant(null)
const durations = fc.constantFrom(0, 100, 1_000, 5_000, 11_000, 61_000, 301_000)
const friendly: readonly fc.WeightedArbitrary<Action>[] = [
  { weight: 8, arbitrary: by('goes on', nothing, (it) => it.goOn()) },
  { weight: 3, arbitrary: by('joins, version', fc.constantFrom(0, 3, 4, 8, 9), (it, version) => it.join({ version })) },
  { weight: 1, arbitrary: by('joins, subscription', fc.nat(2), (it, version) => it.join(aSubscription(version))) },
  { weight: 3, arbitrary: by('syncs', nothing, (it) => it.sync()) },
  { weight: 2, arbitrary: by('beats', nothing, (it) => void it.heartbeat()) },
  { weight: 1, arbitrary: by('commits', nothing, (it) => it.commit()) },
  { weight: 1, arbitrary: by('leaves', nothing, (it) => it.leave()) },
  { weight: 1, arbitrary: by('loses its connection', nothing, (it) => it.disconnect()) },
  {
    weight: 2,
    arbitrary: by('goes on over another connection', fc.constantFrom('the end first', 'the end last'), (it, order) =>
      it.reconnect(order, () => it.goOn()),
    ),
  },
  { weight: 1, arbitrary: by('starts again', nothing, (it) => it.restart()) },
  { weight: 3, arbitrary: durations.map((ms) => new Action(`${ms} ms pass`, ({ run }) => run.pass(ms))) },
  { weight: 1, arbitrary: fc.constant(new Action('crash', crash)) },
  { weight: 1, arbitrary: fc.constant(new Action('delete', ({ run }) => void run.ask({ kind: 'delete' }))) },
]
const protocols = fc.subarray(['range', 'sticky', 'own'], { minLength: 1 })
const actions = fc.oneof(...friendly, {
  weight: 1,
  arbitrary: by('joins, protocols', protocols, (it, names) => it.join({ protocols: names.map((name) => aProtocol(name)) })),
})

const settings: fc.Arbitrary<Partial<ClassicSettings>> = fc.record({
  initialRebalanceDelayMs: fc.constantFrom(0, 3_000),
  maxSize: fc.constantFrom(2, 100),
  leaveOnDisconnect: fc.boolean(),
  reconnectMs: fc.constantFrom(500, 2_000),
})

test('G1 one owner per partition and generation, generations never repeat, and after every step the group is sound', () => {
  fc.assert(
    fc.property(settings, fc.array(actions, { maxLength: 60 }), (chosen, script) => {
      const world = aWorld(chosen)
      for (const action of script) act(world, action)
    }),
    { numRuns: 400 },
  )
})

test('G2 no answer is lost or sent twice: after all clients are silent, no request is parked and the group is empty', () => {
  fc.assert(
    fc.property(settings, fc.array(actions, { maxLength: 60 }), (chosen, script) => {
      const world = aWorld(chosen)
      for (const action of script) act(world, action)
      // The longest possible wait: a new member's first JoinGroup, then the phases and sessions after it.
      act(world, new Action('silence', ({ run }) => run.pass(2 * 300_000)))
      expect(world.run.parked).toEqual(new Map())
      expect(['Empty', 'Dead']).toContain(world.run.describe().state)
      expect(world.run.wakesAtMs).toBeNull()
    }),
    { numRuns: 300 },
  )
})

test('G3 after any events, members that follow the protocol reach a stable group in which every partition is owned', () => {
  fc.assert(
    fc.property(fc.constantFrom(0, 3_000), fc.array(fc.oneof(...friendly), { maxLength: 40 }), (initialRebalanceDelayMs, script) => {
      const world = aWorld({ initialRebalanceDelayMs })
      const { run, clients } = world
      for (const action of script) act(world, action)
      for (let round = 0; round < 200 && !settled(world); round++) {
        for (const it of clients) act(world, new Action('goes on', () => it.goOn()))
        act(world, new Action('time passes', () => run.pass(2_000)))
      }
      expect(run.describe()).toMatchObject({ state: 'Stable', members: { length: clients.length } })
      expect(clients.flatMap(({ owned }) => owned?.partitions ?? []).toSorted()).toEqual(partitions)
    }),
    { numRuns: 200 },
  )
})

function aWorld(chosen: Partial<ClassicSettings>): GroupUnderTest {
  const run = new GroupRun(chosen)
  return { run, clients: instances.map((instance, i) => new MachineClient(run, i, instance)), ledger: new Ledger() }
}

function crash({ run, clients }: GroupUnderTest): void {
  run.crash()
  for (const it of clients) it.loseRequests()
}

function act(world: GroupUnderTest, action: Action): void {
  action.act(world)
  for (const it of world.clients) it.listen()
  world.ledger.note(world)
  checkSound(world.run)
}

function settled({ run, clients }: GroupUnderTest): boolean {
  const { group } = run.state
  return (
    group?.state === 'Stable' &&
    run.state.member.size === clients.length &&
    clients.every((it) => it.owned?.generation === group.generation)
  )
}

/** The owners and leaders over the whole life of a group; a deletion resets them. */
class Ledger {
  #state: ClassicGroupState = 'Dead'
  #generation = 0
  readonly #owners = new Map<string, string>()
  readonly #leaders = new Map<number, string>()

  note({ run, clients }: GroupUnderTest): void {
    const { group } = run.state
    if (group === undefined) {
      this.#state = 'Dead'
      this.#generation = 0
      this.#owners.clear()
      this.#leaders.clear()
      for (const it of clients) it.owned = it.joined = undefined
      return
    }
    expect(group.generation, 'the generation').toBeGreaterThanOrEqual(this.#generation)
    if (group.generation === this.#generation) expect(follows[this.#state], 'the state in one generation').toContain(group.state)
    this.#state = group.state
    this.#generation = group.generation
    for (const it of clients) this.#noteClient(it)
  }

  #noteClient(it: MachineClient): void {
    if (it.joined !== undefined && it.joined.leader !== '') once(this.#leaders, it.joined.generation, who(it.joined.leader))
    for (const partition of it.owned?.partitions ?? []) {
      once(this.#owners, `${it.owned?.generation}/${partition}`, it.owned?.owner ?? '')
    }
  }
}

/** A static member has the same identity under every id that it gets. */
function who(memberId: string): string {
  return instances.find((instance) => instance !== null && memberId.startsWith(`${instance}-`)) ?? memberId
}

function once<K>(known: Map<K, string>, key: K, value: string): void {
  expect(known.get(key) ?? value, `of ${String(key)}`).toBe(value)
  known.set(key, value)
}

/** The states that may follow in the same generation. */
const follows: Record<ClassicGroupState, readonly ClassicGroupState[]> = {
  Dead: ['Empty', 'PreparingRebalance'],
  Empty: ['Empty', 'PreparingRebalance'],
  PreparingRebalance: ['PreparingRebalance'],
  CompletingRebalance: ['CompletingRebalance', 'Stable', 'PreparingRebalance'],
  Stable: ['Stable', 'PreparingRebalance'],
}

const phases: Record<ClassicGroupState, readonly Phase['kind'][]> = {
  Dead: ['resting'],
  Empty: ['resting'],
  PreparingRebalance: ['joining'],
  CompletingRebalance: ['syncing'],
  Stable: ['resting', 'syncing'],
}

function checkSound({ state, wakesAtMs, nowMs, parked }: GroupRun): void {
  const { group, phase, member, session, pending, join, sync, statics } = state
  const name = group?.state ?? 'Dead'
  // Reloaded, and not yet woken.
  if (wakesAtMs === 0) return
  expect(phases[name]).toContain(phase.kind)
  expect(join.size === 0 || name === 'PreparingRebalance', 'JoinGroup is parked while members are called in').toBe(true)
  expect(sync.size === 0 || name === 'CompletingRebalance', 'SyncGroup is parked while the leader computes').toBe(true)
  const waiting = [...join, ...sync].map(([, from]) => from)
  expect(new Set(waiting), 'who is parked').toEqual(new Set(parked.keys()))
  expect(waiting, 'each once').toHaveLength(parked.size)
  if (name !== 'PreparingRebalance') expect(member.size === 0, 'without members').toBe(name === 'Dead' || name === 'Empty')
  expect(group?.leader ?? null, 'the leader').toBe(
    member.size === 0 ? null : ([...member].find(([id]) => id === group?.leader)?.[0] ?? 'a member'),
  )
  expect(new Set([...session].map(([id]) => id)), 'sessions').toEqual(new Set([...member].map(([id]) => id)))
  for (const [id] of pending) expect(member.has(id), 'an id that has not joined').toBe(false)
  for (const [instance, id] of statics) expect(member.get(id)?.groupInstanceId).toBe(instance)
  if (phase.kind === 'syncing') expect([...session].filter(([, { synced }]) => !synced)).toHaveLength(phase.missing)
  checkProtocols(state)
  const deadlines = [...session, ...pending].flatMap(([id, { expiresAtMs }]) => {
    if (expiresAtMs === null) expect(join.has(id) || sync.has(id), 'without a deadline one is parked').toBe(true)
    return expiresAtMs ?? []
  })
  if (phase.kind !== 'resting') deadlines.push(phase.deadlineMs)
  for (const deadline of deadlines) expect(wakesAtMs ?? Infinity).toBeLessThanOrEqual(Math.max(deadline, nowMs))
}

/** Checks that all members of a generation support its protocol. */
function checkProtocols({ group, member }: GroupState): void {
  if (group?.state !== 'Stable' && group?.state !== 'CompletingRebalance') return
  for (const [, { protocols }] of member) expect(protocols.map(({ name }) => name)).toContain(group.protocolName)
}
