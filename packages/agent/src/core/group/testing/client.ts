// A model of a consumer: it follows the classic protocol when it acts, and may act at any time.
import type { JoinReply, JoinRequest, LeaveRequest } from '../classic-messages.ts'
import type { RequestId } from '../machine.ts'
import { aJoin, aSync, bytes, type GroupRun, text } from './group-run.ts'

/** The partitions that the leader assigns in each generation. */
export const partitions = ['0', '1', '2', '3', '4', '5']

export class MachineClient {
  readonly #run: GroupRun
  readonly #name: string
  #connection: number
  readonly instance: string | null
  memberId = ''
  /** The last JoinGroup answer without an error. */
  joined: JoinReply | undefined
  /** The partitions it may read, with its id and their generation. */
  owned: { readonly generation: number; readonly owner: string; readonly partitions: readonly string[] } | undefined
  #join: RequestId | undefined
  #sync: RequestId | undefined
  #unique = 0

  constructor(run: GroupRun, connection: number, instance: string | null) {
    this.#run = run
    this.#name = `c${connection}`
    this.#connection = connection
    this.instance = instance
  }

  join(more: Partial<JoinRequest> = {}): void {
    this.#join = this.#run.ask(
      aJoin(this.memberId, {
        groupInstanceId: this.instance,
        clientId: this.#name,
        unique: `${this.#name}.${this.#unique++}`,
        connection: this.#connection,
        ...more,
      }),
    )
    this.listen()
  }

  /** Sends its SyncGroup; a leader assigns the partitions to the members of its JoinGroup answer. */
  sync(): void {
    const { joined } = this
    if (joined === undefined) return
    const shares: Record<string, string> = {}
    const members = joined.members.map(({ memberId }) => memberId)
    if (members.length > 0 && !joined.skipAssignment) {
      for (const [i, id] of members.entries()) shares[id] = partitions.filter((_, p) => p % members.length === i).join()
    }
    const sync = aSync(this.memberId, joined.generation, shares)
    this.#sync = this.#run.ask({ ...sync, groupInstanceId: this.instance, connection: this.#connection })
    this.listen()
  }

  heartbeat(): string {
    const claim = { memberId: this.memberId, groupInstanceId: this.instance, connection: this.#connection }
    const { error } = this.#run.now({ kind: 'heartbeat', ...claim, generation: this.joined?.generation ?? -1 })
    this.#learn(error)
    return error
  }

  commit(): void {
    const claim = { memberId: this.memberId, groupInstanceId: this.instance, connection: this.#connection }
    this.#run.ask({ kind: 'commit', version: 9, transactional: false, ...claim, generation: this.joined?.generation ?? -1 })
  }

  leave(): void {
    this.#run.ask({ kind: 'leave', members: [this.#self()] })
    this.restart()
  }

  disconnect(): void {
    this.#run.ask({ kind: 'disconnect', connection: this.#connection })
    this.#join = this.#sync = undefined
  }

  /** Sends its next requests over another connection; the group notices the end of the old one before or after them. */
  reconnect(order: 'the end first' | 'the end last', next: () => void): void {
    const ended = this.#connection
    if (order === 'the end first') this.disconnect()
    this.#connection += 1_000
    next()
    if (order === 'the end last') this.#run.ask({ kind: 'disconnect', connection: ended })
  }

  /** Starts as a new process, which knows only its instance id. */
  restart(): void {
    this.memberId = ''
    this.#join = this.#sync = this.joined = this.owned = undefined
  }

  /** The agent has crashed: parked requests will not be answered. */
  loseRequests(): void {
    this.#join = this.#sync = undefined
  }

  get waiting(): boolean {
    return this.#join !== undefined || this.#sync !== undefined
  }

  /** Reads the answers that have arrived. */
  listen(): void {
    const join = this.#join === undefined ? undefined : this.#run.answer(this.#join, 'join')
    if (join !== undefined) {
      this.#join = undefined
      if (join.error === 'NONE' || join.error === 'MEMBER_ID_REQUIRED') this.memberId = join.memberId
      if (join.error === 'NONE') this.joined = join
      this.#learn(join.error)
    }
    const sync = this.#sync === undefined ? undefined : this.#run.answer(this.#sync, 'sync')
    if (sync === undefined) return
    this.#sync = undefined
    this.#learn(sync.error)
    const generation = this.joined?.generation
    if (sync.error === 'NONE' && generation !== undefined) {
      this.owned = { generation, owner: this.instance ?? this.memberId, partitions: text(sync.assignment).split(',').filter(Boolean) }
    }
  }

  /** Sends the next request of the protocol, as a Kafka client does to reach a stable group. */
  goOn(): void {
    this.listen()
    if (this.waiting) return
    if (this.joined === undefined) this.join()
    else if (this.owned?.generation !== this.joined.generation) this.sync()
    else this.heartbeat()
  }

  #learn(error: string): void {
    if (error === 'NONE' || error === 'MEMBER_ID_REQUIRED') return
    this.joined = undefined
    if (error === 'UNKNOWN_MEMBER_ID' || error === 'FENCED_INSTANCE_ID') this.memberId = ''
  }

  #self(): LeaveRequest['members'][number] {
    return { memberId: this.memberId, groupInstanceId: this.instance }
  }
}

/** Two versions of a subscription, as metadata of one protocol. */
export function aSubscription(version: number): Partial<JoinRequest> {
  return { protocols: [{ name: 'range', metadata: bytes(`v${version}`) }] }
}
