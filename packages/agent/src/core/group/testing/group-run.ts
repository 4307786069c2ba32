// A test runner of a classic group: it follows every rule of the machine's contract, and checks that the machine does.
import { expect } from 'vitest'
import { ClassicGroup } from '../classic-group.ts'
import type {
  ClassicReply,
  ClassicRequest,
  ClassicSettings,
  Described,
  JoinRequest,
  MemberProtocol,
  SyncRequest,
} from '../classic-messages.ts'
import { applyChange, type ClassicChange, emptyState, type GroupState, saved } from '../classic-state.ts'
import type { RequestId, Step } from '../machine.ts'

export const theSettings: ClassicSettings = {
  initialRebalanceDelayMs: 3_000,
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  maxSize: 100,
  newMemberJoinTimeoutMs: 300_000,
  leaveOnDisconnect: false,
  reconnectMs: 2_000,
}

export type RecordedReply<K extends ClassicRequest['kind']> = Extract<
  ClassicReply,
  { readonly kind: K extends 'describe' ? 'described' : K extends 'disconnect' ? 'disconnected' : K }
>

export class GroupRun {
  readonly settings: ClassicSettings
  nowMs = 1_000
  /** The expected state of the machine: the same changes, applied to a second state. */
  state: GroupState = emptyState()
  /** A third state, with each step's changes applied from the last to the first: their order must not matter. */
  #backwards: GroupState = emptyState()
  /** Requests that wait for their answer. */
  readonly parked = new Map<RequestId, ClassicRequest>()
  readonly #answers = new Map<RequestId, ClassicReply>()
  readonly #journal = new Map<string, ClassicChange>()
  #machine: ClassicGroup
  #lastId = 0

  constructor(settings: Partial<ClassicSettings> = {}) {
    this.settings = { ...theSettings, ...settings }
    this.#machine = new ClassicGroup(this.settings)
  }

  /** Sends the request and returns the id of its answer, which may arrive later. */
  ask(request: ClassicRequest): RequestId {
    const from = ++this.#lastId
    this.parked.set(from, request)
    this.#take(() => this.#machine.handle(request, from, this.nowMs))
    return from
  }

  answer<K extends ClassicRequest['kind']>(id: RequestId, kind: K): RecordedReply<K> | undefined
  answer(id: RequestId): ClassicReply | undefined {
    return this.#answers.get(id)
  }

  /** Sends a request that must be answered at once. */
  now<R extends ClassicRequest>(request: R): RecordedReply<R['kind']>
  now(request: ClassicRequest): ClassicReply {
    const reply = this.#answers.get(this.ask(request))
    if (reply === undefined) throw new Error(`${request.kind} was parked`)
    return reply
  }

  /** Sends the request and returns the error of its answer; undefined if it is parked. */
  error(request: ClassicRequest): string | undefined {
    const reply = this.#answers.get(this.ask(request))
    return reply === undefined ? undefined : errorOf(reply)
  }

  describe(): Described {
    return this.now({ kind: 'describe' })
  }

  /** Lets time pass, and wakes the machine at the times that it requests. */
  pass(durationMs: number): void {
    const endMs = this.nowMs + durationMs
    let turns = 0
    for (let next = this.#machine.nextWake(); next !== null && next <= endMs; next = this.#machine.nextWake()) {
      this.nowMs = Math.max(this.nowMs, next)
      this.#take(() => this.#machine.wake(this.nowMs))
      expect(++turns, 'turns in which the machine wakes itself').toBeLessThan(10_000)
    }
    this.nowMs = endMs
  }

  /** The agent crashes and another one reloads the journal. Clients with parked requests lose their connections. */
  crash(): void {
    this.#machine = new ClassicGroup(this.settings)
    this.state = reloaded(this.#journal)
    this.#backwards = reloaded(this.#journal)
    for (const change of this.#journal.values()) this.#machine.apply(change)
    this.parked.clear()
  }

  /** Reloads the journal of another agent, with the settings of this one. */
  adopt(other: GroupRun): void {
    for (const [key, change] of other.#journal) this.#journal.set(key, change)
    this.nowMs = other.nowMs
    this.crash()
  }

  get wakesAtMs(): number | null {
    return this.#machine.nextWake()
  }

  #take(turn: () => Step<ClassicReply, ClassicChange>): void {
    const step = turn()
    expect(turn(), 'the same turn again, before its changes are applied').toEqual(step)
    expect(new Set(step.changes.map(({ key }) => key)).size, 'one change per key').toBe(step.changes.length)
    for (const change of step.changes) {
      this.#machine.apply(change)
      applyChange(this.state, change)
      if (!saved(change)) continue
      if (change.value === null) this.#journal.delete(change.key)
      else this.#journal.set(change.key, change)
    }
    for (const change of step.changes.toReversed()) applyChange(this.#backwards, change)
    expect(everything(this.#backwards), 'the changes of the step in another order').toEqual(everything(this.state))
    expect(new Map(this.state.speakers), 'who spoke over which connection').toEqual(speakersOf(this.state))
    for (const { to, reply } of step.replies) {
      const asked = this.parked.get(to)
      if (asked === undefined) throw new Error(`request ${to} was answered, but it is not parked`)
      this.parked.delete(to)
      this.#answers.set(to, reply)
    }
    this.#checkReload()
  }

  /** Checks that the journal alone, in any order, gives the same group after every step. */
  #checkReload(): void {
    expect(lasting(reloaded(new Map([...this.#journal].toReversed())))).toEqual(lasting(this.state))
  }
}

/** A JoinGroup request with the usual fields; the call names the unusual ones. */
export function aJoin(memberId: string, more: Partial<JoinRequest> = {}): JoinRequest {
  return {
    kind: 'join',
    version: 9,
    memberId,
    groupInstanceId: null,
    unique: 'x',
    clientId: 'client',
    clientHost: '/127.0.0.1',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    protocolType: 'consumer',
    protocols: [aProtocol('range')],
    ...more,
  }
}

export function aProtocol(name: string, text = name): MemberProtocol {
  return { name, metadata: bytes(text) }
}

/** The SyncGroup of a follower, or of a leader if it has assignments. */
export function aSync(memberId: string, generation: number, assignments: Readonly<Record<string, string>> = {}): SyncRequest {
  return {
    kind: 'sync',
    memberId,
    groupInstanceId: null,
    generation,
    protocolType: null,
    protocolName: null,
    assignments: Object.entries(assignments).map(([id, text]) => ({ memberId: id, assignment: bytes(text) })),
  }
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function text(data: Uint8Array | undefined): string {
  return new TextDecoder().decode(data)
}

export function errorOf(reply: ClassicReply): string {
  switch (reply.kind) {
    case 'described':
    case 'disconnected':
    case 'offset expiry':
      return 'NONE'
    case 'leave':
      return reply.members.map(({ error }) => error).join()
    case 'join':
    case 'sync':
    case 'heartbeat':
    case 'commit':
    case 'delete':
    case 'offset delete':
      return reply.error
  }
}

function reloaded(journal: ReadonlyMap<string, ClassicChange>): GroupState {
  const state = emptyState()
  for (const change of journal.values()) applyChange(state, change)
  return state
}

function everything(state: GroupState): unknown {
  const { session, speakers, pending, join, sync, phase, alarmMs } = state
  return [lasting(state), phase, alarmMs, ...[session, speakers, pending, join, sync].map((table) => new Map<string, unknown>(table))]
}

/** The members by the connection of their last request. */
function speakersOf({ session }: GroupState): ReadonlyMap<string, ReadonlySet<string>> {
  const speakers = new Map<string, Set<string>>()
  for (const [id, { connection }] of session)
    if (connection !== undefined) speakers.set(String(connection), (speakers.get(String(connection)) ?? new Set()).add(id))
  return speakers
}

/** The state that a reload must restore. */
function lasting({ group, member, assignment, statics, support }: GroupState): unknown {
  return [group, ...[member, assignment, statics, support].map((table) => new Map<string, unknown>(table))]
}
