// @platformatic/kafka in a run of chaos: an idempotent producer, a member of a group, and a scan.
import { setTimeout as delay } from 'node:timers/promises'
import { Consumer, type MessagesStream, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import { endProgram } from '../../../packages/sim/src/program.ts'
import { type PolledRecord, valueOf } from '../history.ts'
import { emit, isAtEnds, notesRejections, phases, taskOf } from './client-lines.ts'

type TextConsumer = Consumer<string, string, string, string>
type TextStream = MessagesStream<string, string, string, string>
type TextProducer = Producer<string, string, string, string>

const { command, task, ends } = taskOf()
const { topic, name, partitions } = task
const patient = task.settings === 'patient'
const common = {
  clientId: name,
  bootstrapBrokers: task.bootstrap.split(','),
  ...(patient && { retries: 30, retryDelay: 100, connectTimeout: 5_000, requestTimeout: 10_000 }),
}
const group = `${name}-group`

notesRejections(name)
if (command === 'scan') await scan()
else await work()
await endProgram(0)

async function work(): Promise<void> {
  const { stopped, ended } = phases()
  let over = false
  const over$ = ended.then(() => void (over = true))
  const reading = read(() => over)
  await produce(stopped)
  await over$
  await Promise.race([reading, delay(5_000)])
}

async function produce(stopped: AbortSignal): Promise<void> {
  let producer: TextProducer | undefined
  for (let number = 0; !stopped.aborted; number += 1) {
    const pace = delay(task.everyMs)
    const partition = number % partitions
    const value = valueOf(name, number, partition)
    producer ??= new Producer({ ...common, serializers: stringSerializers, idempotent: true })
    emit({ f: 'send', partition, value })
    try {
      const { offsets = [] } = await producer.send({ messages: [{ topic, partition, value }] })
      emit({ f: 'sent', partition, value, offset: Number(offsets[0]?.offset) })
    } catch (error) {
      emit({ f: 'unknown', partition, value, error: String(error) })
      await producer.close(true).catch(() => {})
      producer = undefined
    }
    await pace
  }
  emit({ f: 'done' })
  // Every send has its outcome; an agent may be away at this moment.
  await producer?.close(true).catch((error: unknown) => emit({ f: 'note', text: `${name} cannot close its producer: ${String(error)}` }))
}

/** Its stream ends with an error when a partition has moved too often: then another one begins where the group is. */
async function read(isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const { consumer, stream } = await consuming(group).catch((error: unknown) => {
      emit({ f: 'note', text: `${name} cannot consume: ${String(error)}` })
      return { consumer: undefined, stream: undefined }
    })
    if (stream === undefined) {
      await delay(500)
      continue
    }
    try {
      await readAll(consumer, stream, isOver)
    } catch (error) {
      emit({ f: 'error', text: `${name} lost its stream: ${String(error)}` })
    }
    await consumer.close(true).catch(() => {})
  }
}

async function readAll(consumer: TextConsumer, stream: TextStream, isOver: () => boolean): Promise<void> {
  for await (const { partition, offset, value, leaderEpoch } of stream) {
    emit({ f: 'polled', reader: `${name} member`, records: [[partition, Number(offset), value]] })
    if (isOver()) return
    if (!patient) continue
    await consumer.commit({ offsets: [{ topic, partition, offset: offset + 1n, leaderEpoch }] })
    emit({ f: 'committed', group, offsets: [[partition, Number(offset) + 1]] })
  }
}

async function consuming(groupId: string): Promise<{ readonly consumer: TextConsumer; readonly stream: TextStream }> {
  const consumer = new Consumer({
    ...common,
    groupId,
    deserializers: stringDeserializers,
    ...(patient ? { autocommit: false, sessionTimeout: 10_000, heartbeatInterval: 1_000, maxWaitTime: 200 } : { autocommit: 500 }),
  })
  consumer.on('consumer:group:join', () => emit({ f: 'joined', reader: `${name} member` }))
  try {
    return { consumer, stream: await consumer.consume({ topics: [topic], mode: 'committed', fallbackMode: 'earliest' }) }
  } catch (error) {
    await consumer.close(true).catch(() => {})
    throw error
  }
}

async function scan(): Promise<void> {
  const { consumer, stream } = await consuming(`${name}-scan`)
  const positions = new Map<number, number>()
  let some: PolledRecord[] = []
  for await (const { partition, offset, value } of stream) {
    some.push([partition, Number(offset), value])
    positions.set(partition, Number(offset) + 1)
    const complete = isAtEnds(ends, positions)
    if (!complete && some.length < 500) continue
    emit({ f: 'polled', reader: `${name} scan`, records: some })
    some = []
    if (complete) break
  }
  await consumer.close(true)
}
