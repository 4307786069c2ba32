// An idempotent producer that retries like Kafka's own: five requests in flight, sequences per partition; a retried batch goes first and alone.
import { errorName, InitProducerId, Produce } from '@local-kafka-service/protocol'
import { type ClientConnection, ConnectionLost } from './client.ts'
import { type ClientParts, Reconnecting, retryBackoffMs } from './cluster-client.ts'
import { type ProducerLoad, someOf, temporary } from './producer.ts'
import { encodeBatch, type Value, valueOf } from './records.ts'

export interface IdempotentProducerOptions extends ProducerLoad {
  readonly name: string
  readonly requestTimeoutMs: number
  /** Kafka's delivery.timeout.ms: the producer gives up an older batch, and starts again with a new id. */
  readonly deliveryTimeoutMs: number
}

interface PendingBatch {
  readonly partition: number
  readonly values: readonly Value[]
  readonly sequence: number
  readonly bytes: Uint8Array
  readonly createdMs: number
  retries: number
  notBeforeMs: number
}

interface PartitionQueue {
  nextSequence: number
  ackedUpTo: number
  /** By sequence. */
  readonly waiting: PendingBatch[]
  readonly inFlight: Set<PendingBatch>
}

interface Identity {
  readonly id: number
  readonly epoch: number
  readonly name: string
}

const inFlightRequests = 5

export class IdempotentProducer {
  readonly #parts: ClientParts
  readonly #options: IdempotentProducerOptions
  readonly #link: Reconnecting
  readonly #lines = new Map<number, PartitionQueue>()
  readonly #version: number
  #identity: Identity | undefined
  #identities = 0
  #number = 0
  #requests = 0
  #givingUp = false
  #wake: (() => void) | undefined

  constructor(parts: ClientParts, options: IdempotentProducerOptions) {
    this.#parts = parts
    this.#options = options
    this.#link = new Reconnecting(parts, options.name, options.requestTimeoutMs)
    this.#version = parts.chance.whole([3, 13])
  }

  /** Resolves when every record is acknowledged or given up. */
  async run(): Promise<void> {
    const sending = this.#sendAll()
    await sending
    this.#link.close()
  }

  async #sendAll(): Promise<void> {
    const { time, chance } = this.#parts
    const { requests, paceMs, spread, records } = this.#options
    let made = 0
    let nextAtMs = time.nowMs + chance.between(paceMs)
    for (;;) {
      const identity = await this.#identified()
      while (made < requests && time.nowMs >= nextAtMs) {
        made += 1
        nextAtMs += chance.between(paceMs)
        const partitions = someOf(this.#parts.topic.partitions, Math.min(this.#parts.topic.partitions, chance.whole(spread)), (of) =>
          chance.pick(of),
        )
        for (const partition of partitions) this.#add(identity, partition, chance.whole(records))
      }
      const batches = this.#requests < inFlightRequests && !this.#givingUp ? this.#sendable() : []
      if (batches.length > 0) {
        const connection = await this.#link.open(() => this.#tooOld())
        if (connection === undefined) this.#givingUp = true
        else this.#send(connection, identity, batches)
        continue
      }
      if (this.#givingUp && this.#requests === 0) this.#giveUp(identity)
      if (made === requests && this.#idle()) return
      await this.#somethingNew(made < requests ? nextAtMs : time.nowMs + retryBackoffMs)
    }
  }

  #add(identity: Identity, partition: number, count: number): void {
    const { time } = this.#parts
    const line = this.#line(partition)
    const values = Array.from({ length: count }, () => valueOf(identity.name, (this.#number += 1)))
    const sequence = line.nextSequence
    line.nextSequence += count
    const bytes = encodeBatch(values, {
      timestampMs: time.wallMs,
      producer: { id: identity.id, epoch: identity.epoch, baseSequence: sequence },
    })
    line.waiting.push({ partition, values, sequence, bytes, createdMs: time.nowMs, retries: 0, notBeforeMs: 0 })
  }

  /** At most one batch per partition. A retried batch goes only when no earlier batch is in flight, and holds back later batches. */
  #sendable(): readonly PendingBatch[] {
    const batches: PendingBatch[] = []
    for (const line of this.#lines.values()) {
      const head = line.waiting[0]
      if (head === undefined || head.notBeforeMs > this.#parts.time.nowMs) continue
      if (head.retries > 0 && line.inFlight.size > 0) continue
      if ([...line.inFlight].some(({ retries, sequence }) => retries > 0 && sequence < head.sequence)) continue
      batches.push(head)
    }
    for (const batch of batches) {
      const line = this.#line(batch.partition)
      line.waiting.shift()
      line.inFlight.add(batch)
    }
    return batches
  }

  #send(connection: ClientConnection, identity: Identity, batches: readonly PendingBatch[]): void {
    const { topic, checker } = this.#parts
    this.#requests += 1
    const body = {
      acks: -1,
      timeoutMs: 30_000,
      topicData: [
        {
          name: topic.name,
          topicId: topic.topicId,
          partitionData: batches.map(({ partition, bytes }) => ({ index: partition, records: bytes })),
        },
      ],
    }
    connection
      .request(Produce, this.#version, body)
      .then(
        ({ responses }) => {
          for (const batch of batches)
            this.#onAnswer(
              identity,
              batch,
              responses[0]?.partitionResponses.find(({ index }) => index === batch.partition),
            )
        },
        (error: unknown) => {
          if (!(error instanceof ConnectionLost)) throw error
          for (const batch of batches) this.#again(batch)
        },
      )
      .catch((error: unknown) => checker.violate('no defect', `${identity.name}: ${String(error)}`))
      .finally(() => {
        this.#requests -= 1
        this.#wake?.()
      })
  }

  #onAnswer(
    identity: Identity,
    batch: PendingBatch,
    answer: { readonly errorCode: number; readonly baseOffset: number } | undefined,
  ): void {
    const { checker, topic, trace } = this.#parts
    const line = this.#line(batch.partition)
    if (answer === undefined) {
      checker.violate('no defect', `${identity.name} got no answer for partition ${batch.partition}`)
      return this.#again(batch)
    }
    const error = errorName(answer.errorCode) ?? String(answer.errorCode)
    const what = `${batch.values.join()} (sequence ${batch.sequence}) in ${batch.partition}`
    trace.write(identity.name, `${what}: ${error === 'NONE' ? `offset ${answer.baseOffset}` : error}`)
    if (error === 'NONE') {
      line.inFlight.delete(batch)
      line.ackedUpTo = Math.max(line.ackedUpTo, batch.sequence + batch.values.length - 1)
      checker.acked(batch.values, topic.topicId, batch.partition, answer.baseOffset)
      return
    }
    // The batch follows one that failed, and is sent again after it. For the first batch it means that the server has forgotten what it acknowledged.
    const behind = error === 'OUT_OF_ORDER_SEQUENCE_NUMBER' && batch.sequence !== line.ackedUpTo + 1
    if (!temporary.has(error) && !behind)
      checker.violate('I8 an idempotent record is stored once and in order', `${what}, acknowledged up to ${line.ackedUpTo}: ${error}`)
    if (error === 'NOT_LEADER_OR_FOLLOWER') this.#link.tryAnother()
    this.#again(batch)
  }

  #again(batch: PendingBatch): void {
    const { time } = this.#parts
    const line = this.#line(batch.partition)
    line.inFlight.delete(batch)
    batch.retries += 1
    batch.notBeforeMs = time.nowMs + retryBackoffMs
    const at = line.waiting.findIndex(({ sequence }) => sequence > batch.sequence)
    line.waiting.splice(at < 0 ? line.waiting.length : at, 0, batch)
    if (time.nowMs - batch.createdMs > this.#options.deliveryTimeoutMs) {
      this.#givingUp = true
      this.#link.close()
    }
  }

  /** Records that are not acknowledged may or may not be stored; a new id and a new name start after them. */
  #giveUp(identity: Identity): void {
    this.#parts.trace.write(identity.name, 'gives up unacknowledged records')
    this.#lines.clear()
    this.#identity = undefined
    this.#givingUp = false
  }

  async #identified(): Promise<Identity> {
    const { trace, time } = this.#parts
    while (this.#identity === undefined) {
      const connection = await this.#link.open(() => false)
      if (connection === undefined) continue
      try {
        const answer = await connection.request(InitProducerId, 4, {
          transactionalId: null,
          transactionTimeoutMs: 60_000,
          producerId: -1,
          producerEpoch: -1,
        })
        const error = errorName(answer.errorCode) ?? String(answer.errorCode)
        if (error === 'NONE') {
          this.#identities += 1
          const name = `${this.#options.name}.${this.#identities}`
          this.#identity = { id: answer.producerId, epoch: answer.producerEpoch, name }
          trace.write(name, `is producer ${answer.producerId}`)
        } else {
          if (!temporary.has(error)) this.#parts.checker.violate('no defect', `InitProducerId: ${error}`)
          await time.sleep(retryBackoffMs)
        }
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error
      }
    }
    return this.#identity
  }

  #tooOld(): boolean {
    const { time } = this.#parts
    for (const { waiting } of this.#lines.values())
      for (const { createdMs } of waiting) if (time.nowMs - createdMs > this.#options.deliveryTimeoutMs) return true
    return false
  }

  #idle(): boolean {
    for (const { waiting, inFlight } of this.#lines.values()) if (waiting.length > 0 || inFlight.size > 0) return false
    return this.#requests === 0
  }

  /** Resolves at the given time, or as soon as a response arrives. */
  #somethingNew(atMs: number): Promise<void> {
    const { time } = this.#parts
    return new Promise((resolve) => {
      const timer = time.after(atMs - time.nowMs, resolve)
      this.#wake = () => {
        timer.cancel()
        resolve()
      }
    })
  }

  #line(partition: number): PartitionQueue {
    const known = this.#lines.get(partition)
    if (known !== undefined) return known
    const made: PartitionQueue = { nextSequence: 0, ackedUpTo: -1, waiting: [], inFlight: new Set() }
    this.#lines.set(partition, made)
    return made
  }
}
