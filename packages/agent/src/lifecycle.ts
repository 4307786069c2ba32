// The life of an agent: it runs what has no caller, and ends it in one of three ways.
import type { Groups } from './coordinate/groups.ts'
import type { Membership, MembershipListener } from './membership.ts'
import type { KafkaPort } from './net/serve.ts'
import type { EventHook } from './observe/events.ts'
import type { Tails } from './view/tails.ts'
import type { Writer } from './write/writer.ts'

/** `fenced`: a successor or another agent took over. `killed`: by `kill`, or by the agent itself after a defect, when its state is not to be trusted. */
export type AgentEnd = 'drained' | 'fenced' | 'killed'

export interface LifecycleParts {
  readonly membership: Pick<Membership, 'run' | 'leave' | 'owners'>
  readonly groups: Pick<Groups, 'run' | 'stop' | 'abandon'>
  readonly tails: Pick<Tails, 'forget'>
  readonly changes: MembershipListener
  readonly writer: Pick<Writer, 'drain' | 'kill' | 'fenced'>
  /** What reads or cleans the stores in the background. */
  readonly upkeep: readonly { run(signal: AbortSignal): Promise<void> }[]
  readonly emit: EventHook
}

export class Lifecycle {
  /** Settles once, when the agent ends. */
  readonly ended: Promise<AgentEnd>
  readonly #parts: LifecycleParts
  readonly #end: (end: AgentEnd) => void
  readonly #stopped = new AbortController()
  #kafka: KafkaPort | undefined
  #running: Promise<unknown> = Promise.resolve()
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
    const { membership, groups, upkeep, changes } = this.#parts
    const beating = membership.run(this.#stopped.signal, changes).then((end) => {
      if (end === 'fenced') this.fence()
    })
    const working = upkeep.map((job) => job.run(this.#stopped.signal))
    this.#running = Promise.all([beating, groups.run(this.#stopped.signal), ...working]).catch((error: unknown) => {
      // Without its heartbeats or its groups the agent is of no use, and the next one can take over.
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

  /** Stops accepting, answers admitted requests, flushes, gives the slots up. */
  async drain(): Promise<void> {
    if (this.#stopping) return
    this.#stopping = true
    const { membership, groups, writer } = this.#parts
    this.#kafka?.stopAccepting()
    await groups.stop()
    await this.#kafka?.drain()
    await writer.drain()
    this.#stopped.abort()
    await this.#running
    try {
      if (!writer.fenced) await membership.leave()
    } finally {
      // This runs also when the database is away: the slots stay with this incarnation until the next start fences it.
      this.#close('drained')
    }
  }

  #close(end: AgentEnd): void {
    this.#stopped.abort()
    this.#kafka?.close()
    this.#end(end)
  }
}
