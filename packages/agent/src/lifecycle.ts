// The life of an agent: it runs what has no caller, and ends it in one of three ways.
import type { Groups } from './coordinate/groups.ts'
import { must } from './core/assert.ts'
import type { Membership, MembershipListener } from './membership.ts'
import type { KafkaPort } from './net/serve.ts'
import type { EventHook } from './observe/events.ts'
import type { Clock } from './time/clock.ts'
import { orLate } from './time/or-late.ts'
import type { Tails } from './view/tails.ts'
import type { Writer } from './write/writer.ts'

/** `fenced`: a successor or another agent took over. `killed`: by `kill`, or by the agent itself after a defect, when its state is not to be trusted. */
export type AgentEnd = 'drained' | 'fenced' | 'killed'

export interface LifecycleParts {
  readonly membership: Pick<Membership, 'run' | 'leave' | 'owners' | 'watch' | 'refresh'>
  readonly groups: Pick<Groups, 'run' | 'stop' | 'abandon' | 'release'>
  readonly tails: Pick<Tails, 'forget'>
  readonly changes: MembershipListener
  readonly writer: Pick<Writer, 'drain' | 'kill' | 'fenced'>
  /** What reads or cleans the stores in the background. */
  readonly upkeep: readonly { run(signal: AbortSignal): Promise<void> }[]
  /** What readers wait for: it runs as long as there are clients. */
  readonly follower: { run(signal: AbortSignal): Promise<void> }
  /** How long it sends clients on to the other agents after it has given them its slots. */
  readonly redirectMs: number
  readonly clock: Clock
  readonly emit: EventHook
}

export class Lifecycle {
  /** Settles once, when the agent ends. */
  readonly ended: Promise<AgentEnd>
  readonly #parts: LifecycleParts
  readonly #end: (end: AgentEnd) => void
  readonly #stopped = new AbortController()
  readonly #closed = new AbortController()
  #kafka: KafkaPort | undefined
  #running: Promise<unknown> = Promise.resolve()
  #following: Promise<unknown> = Promise.resolve()
  #stopping = false

  constructor(parts: LifecycleParts) {
    this.#parts = parts
    const { promise, resolve } = Promise.withResolvers<AgentEnd>()
    this.ended = promise
    this.#end = resolve
  }

  get stopping(): boolean {
    return this.#stopping
  }

  /** Begins to beat and to coordinate. The Kafka port is open. */
  run(kafka: KafkaPort): void {
    this.#kafka = kafka
    if (this.#stopping) return kafka.close()
    const { membership, groups, upkeep, follower, changes } = this.#parts
    const beating = membership.run(this.#stopped.signal, changes).then((end) => {
      if (end === 'fenced') this.fence()
    })
    const working = upkeep.map((job) => job.run(this.#stopped.signal))
    this.#following = this.#owned(follower.run(this.#closed.signal))
    this.#running = this.#owned(Promise.all([beating, groups.run(this.#stopped.signal), ...working]))
  }

  /** Without its heartbeats, its groups or what readers wait for, the agent is of no use, and the next one can take over. */
  #owned(running: Promise<unknown>): Promise<unknown> {
    return running.catch((error: unknown) => {
      this.#parts.emit({ kind: 'defect', where: 'the agent', error })
      this.kill()
    })
  }

  /** Ends because another agent has taken over: nothing of this one may be answered any more. */
  fence(): void {
    if (this.#stopping) return
    this.#stopping = true
    this.#parts.membership.owners.fence()
    this.#parts.tails.forget(() => true)
    this.#parts.groups.abandon()
    this.#close('fenced')
  }

  /** Ends at once, like a crash: connections drop, nothing is flushed, no slot is given up. */
  kill(): void {
    this.#stopping = true
    this.#parts.groups.abandon()
    this.#parts.writer.kill()
    this.#close('killed')
  }

  /**
   * Gives its slots to the other agents and sends its clients on to them for a while; then it stops accepting and answers admitted requests. An agent that is alone does
   * the latter first, and gives its slots up.
   */
  async drain(): Promise<void> {
    if (this.#stopping) return
    this.#stopping = true
    const { membership } = this.#parts
    try {
      if (!membership.owners.isAlone) await this.#handOver()
    } finally {
      await this.#finish()
    }
  }

  async #finish(): Promise<void> {
    const { membership, groups, writer } = this.#parts
    try {
      this.#kafka?.stopAccepting()
      await groups.stop()
      await this.#kafka?.drain()
      await writer.drain()
      this.#stopped.abort()
      await this.#running
      if (!writer.fenced && !membership.owners.isFenced) await membership.leave()
    } finally {
      // This runs also when the database is away: the slots stay with this incarnation until the next start fences it.
      this.#close('drained')
      await this.#following
    }
  }

  /** Requests for its slots wait meanwhile. Rejects as the database does; its slots are then taken when its lease is over. */
  async #handOver(): Promise<void> {
    const { membership, groups, writer, clock, redirectMs } = this.#parts
    const { owners } = membership
    const all = new Set(Array.from({ length: owners.slots }, (_, slot) => slot))
    const end = owners.beginMove(all)
    owners.leave()
    try {
      await groups.release(all)
      await writer.drain()
      this.#stopped.abort()
      await this.#running
      if (writer.fenced || owners.isFenced) return
      await membership.leave()
      await membership.refresh()
    } finally {
      end()
    }
    const watched = membership.watch(this.#closed.signal)
    await orLate(must(this.#kafka, 'the Kafka port').idle(), { clock, afterMs: redirectMs }, undefined)
    this.#closed.abort()
    await watched
  }

  #close(end: AgentEnd): void {
    this.#stopped.abort()
    this.#closed.abort()
    this.#kafka?.close()
    this.#end(end)
  }
}
