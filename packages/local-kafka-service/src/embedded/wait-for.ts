// Waits for records of a topic, which need not exist yet: follows its log from the start.
import type { AgentOperations, TailStep } from '@local-kafka-service/agent'
import { errors } from '@local-kafka-service/protocol'
import type { EventListeners } from './event-listeners.ts'
import { recordOf, unreadableError } from './read-records.ts'
import type { KafkaRecord } from './record.ts'
import { rejectionOf, withRejections } from './rejections.ts'
import { untilFound } from './wait.ts'

/** A number: this number of records. A function: the first record for which it returns true. */
export type Wanted = number | ((record: KafkaRecord) => boolean)

/** Validates the condition before the wait. */
export function checkWanted(wanted: Wanted, topic: string): void {
  if (typeof wanted === 'function' || (Number.isInteger(wanted) && wanted >= 1)) return
  throw new TypeError(`waitFor('${topic}', ${String(wanted)}): use an integer of at least 1, or a function of a record`)
}

type FoundRecords = [KafkaRecord, ...KafkaRecord[]]

export async function waitForRecords(
  topic: string,
  wanted: Wanted,
  {
    listeners,
    operations,
    signal,
  }: { readonly listeners: EventListeners; readonly operations: AgentOperations; readonly signal: AbortSignal },
): Promise<FoundRecords> {
  return await untilFound(() => followed(topic, wanted, { operations, signal }), {
    listeners,
    signal,
    matters: (event) => event.kind === 'topic created' && event.name === topic,
  })
}

/** Undefined: there is no such topic, or the wait has ended. */
async function followed(
  topic: string,
  wanted: Wanted,
  { operations, signal }: { readonly operations: AgentOperations; readonly signal: AbortSignal },
): Promise<FoundRecords | undefined> {
  while (!signal.aborted) {
    const tail = await withRejections(operations.records.tail({ topic, from: 'earliest', filter: {}, signal }))
    if (tail.kind === 'error' && tail.code === errors.UNKNOWN_TOPIC_OR_PARTITION.code) return undefined
    if (tail.kind !== 'tail') throw rejectionOf(tail)
    const found = await firstIn(tail.steps, topic, wanted)
    if (found !== undefined) return found
  }
  return undefined
}

/** Undefined: the topic was deleted, or the wait has ended. */
async function firstIn(steps: AsyncIterable<TailStep>, topic: string, wanted: Wanted): Promise<FoundRecords | undefined> {
  const first: KafkaRecord[] = []
  for await (const step of steps) {
    if (step.kind === 'ended') return undefined
    const [broken] = step.unreadable
    if (broken !== undefined) throw unreadableError(topic, broken)
    for (const read of step.records) {
      const record = recordOf(topic, read)
      if (typeof wanted === 'function') {
        if (isMatch(wanted(record), topic)) return [record]
      } else first.push(record)
      const [head, ...more] = first
      if (head !== undefined && first.length === wanted) return [head, ...more]
    }
  }
  return undefined
}

/** A promise is always truthy: an asynchronous function would match the first record. */
function isMatch(said: unknown, topic: string): boolean {
  if (typeof said === 'object' && said !== null && 'then' in said)
    throw new TypeError(`waitFor('${topic}', …): its function returns a promise; it must return true or false`)
  return Boolean(said)
}
