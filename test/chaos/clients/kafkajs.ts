// kafkajs in a run of chaos: an idempotent producer, two members of a group, and a scan.
import { setTimeout as delay } from 'node:timers/promises'
import { type Consumer, type EachBatchPayload, Kafka, logLevel, type Producer } from 'kafkajs'
import { endProgram } from '../../../packages/sim/src/program.ts'
import { valueOf } from '../history.ts'
import { emit, isAtEnds, notesRejections, phases, taskOf } from './client-lines.ts'

const { command, task, ends } = taskOf()
const { topic, name, partitions } = task
const patient = task.settings === 'patient'
const kafka = new Kafka({
  clientId: name,
  brokers: task.bootstrap.split(','),
  logLevel: logLevel.NOTHING,
  ...(patient && { requestTimeout: 10_000, retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 30 } }),
})

notesRejections(name)
if (command === 'scan') await scan()
else await work()
await endProgram(0)

async function work(): Promise<void> {
  const { stopped, ended } = phases()
  const members = [1, 2].map((number) => reading(number, ended))
  await Promise.all([produce(stopped), ended])
  await Promise.all(members)
}

/** A consumer that crashes for good, as kafkajs lets it when a commit meets an unknown member, is replaced: an application has to do that, too. */
async function reading(number: number, ended: Promise<void>): Promise<void> {
  let over = false
  void ended.then(() => (over = true))
  while (!over) {
    const crashed = Promise.withResolvers<void>()
    const consumer = await member(number, crashed.resolve).catch((error: unknown) => {
      emit({ f: 'error', text: `${name} member ${number} cannot begin: ${String(error)}` })
    })
    await (consumer === undefined ? delay(500) : Promise.race([crashed.promise, ended]))
    await consumer?.disconnect().catch(() => {})
  }
}

async function produce(stopped: AbortSignal): Promise<void> {
  let producer: Producer | undefined
  for (let number = 0; !stopped.aborted; number += 1) {
    const pace = delay(task.everyMs)
    const partition = number % partitions
    const value = valueOf(name, number, partition)
    try {
      producer ??= await connected()
    } catch (error) {
      emit({ f: 'note', text: `kafkajs cannot connect its producer: ${String(error)}` })
      await pace
      continue
    }
    emit({ f: 'send', partition, value })
    try {
      // One partition a request: kafkajs repeats a request as a whole when one of its partitions fails.
      const [placed] = await producer.send({ topic, acks: -1, messages: [{ partition, value }] })
      emit({ f: 'sent', partition, value, offset: Number(placed?.baseOffset) })
    } catch (error) {
      emit({ f: 'unknown', partition, value, error: String(error) })
      // It would use the sequence of the failed record for the next one, which the server would take for the same record.
      await producer.disconnect().catch(() => {})
      producer = undefined
    }
    await pace
  }
  emit({ f: 'done' })
  await producer?.disconnect()
}

async function connected(): Promise<Producer> {
  const producer = kafka.producer({ idempotent: true, ...(patient && { maxInFlightRequests: 1 }) })
  await producer.connect()
  return producer
}

async function member(number: number, onEnd: () => void): Promise<Consumer> {
  const group = `${name}-group`
  const reader = `${name} member ${number}`
  const consumer = kafka.consumer({
    groupId: group,
    ...(patient && {
      sessionTimeout: 10_000,
      heartbeatInterval: 1_000,
      maxWaitTimeInMs: 200,
      retry: { retries: 30, restartOnFailure: async () => true },
    }),
  })
  consumer.on('consumer.group_join', () => emit({ f: 'joined', reader }))
  consumer.on('consumer.crash', ({ payload: { error, restart } }) => {
    emit({ f: 'error', text: `${reader} crashed${restart ? ', and restarts' : ''}: ${String(error)}` })
    if (!restart) onEnd()
  })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    ...(patient ? { autoCommit: false } : { autoCommitInterval: 500 }),
    eachBatch: async (payload: EachBatchPayload) => {
      if (!payload.isRunning() || payload.isStale()) return
      const { partition, messages } = payload.batch
      const last = messages.at(-1)
      if (last === undefined) return
      const records = messages.map(({ offset, value }) => [partition, Number(offset), String(value)] as const)
      emit({ f: 'polled', reader, records })
      if (!patient) {
        payload.resolveOffset(last.offset)
        return await payload.heartbeat()
      }
      const offset = Number(last.offset) + 1
      await consumer.commitOffsets([{ topic, partition, offset: String(offset) }])
      emit({ f: 'committed', group, offsets: [[partition, offset]] })
      await payload.heartbeat()
    },
  })
  return consumer
}

async function scan(): Promise<void> {
  const consumer = kafka.consumer({ groupId: `${name}-scan`, maxWaitTimeInMs: 200 })
  const positions = new Map<number, number>()
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise<void>((resolve) => {
    void consumer.run({
      autoCommit: false,
      eachBatch: async (payload) => {
        const { partition, messages } = payload.batch
        emit({
          f: 'polled',
          reader: `${name} scan`,
          records: messages.map(({ offset, value }) => [partition, Number(offset), String(value)] as const),
        })
        const last = messages.at(-1)
        if (last === undefined) return
        payload.resolveOffset(last.offset)
        positions.set(partition, Number(last.offset) + 1)
        if (isAtEnds(ends, positions)) resolve()
      },
    })
  })
  await consumer.disconnect()
}
