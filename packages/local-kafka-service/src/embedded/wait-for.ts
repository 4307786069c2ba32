// Waits for records of a topic, which need not exist yet: follows its log from the start.
import type { AgentEvent, Services } from '@local-kafka-service/agent'
import { errors } from '@local-kafka-service/protocol'
import type { Heard } from './heard.ts'
import { recordOf, unreadableError } from './read-records.ts'
import type { KafkaRecord } from './record.ts'
import { refusedError, refusing } from './refusals.ts'

/** A number: this number of records. A function: the first record for which it returns true. */
export type Wanted = number | ((record: KafkaRecord) => boolean)

/** Validates the condition before the wait. */
export function checkWanted(wanted: Wanted, topic: string): void {
  if (typeof wanted === 'function' || (Number.isInteger(wanted) && wanted >= 1)) return
  throw new TypeError(`waitFor('${topic}', ${String(wanted)}): use an integer of at least 1, or a function of a record`)
}

export async function waitForRecords(
  topic: string,
  wanted: Wanted,
  { heard, services, signal }: { readonly heard: Heard; readonly services: Services; readonly signal: AbortSignal },
): Promise<[KafkaRecord, ...KafkaRecord[]]> {
  for (;;) {
    const found = await followed(topic, wanted, { heard, services, signal })
    if (found !== undefined) return found
    if (signal.aborted) throw new Error('the wait has ended')
  }
}

/** Undefined: the topic was deleted, or the wait has ended. */
async function followed(
  topic: string,
  wanted: Wanted,
  { heard, services, signal }: Parameters<typeof waitForRecords>[2],
): Promise<[KafkaRecord, ...KafkaRecord[]] | undefined> {
  const made = nextEvent(heard, signal, (event) => event.kind === 'topic created' && event.name === topic)
  try {
    const tail = await refusing(services.records.tail({ topic, from: 'earliest', filter: {}, signal }))
    if (tail.kind === 'error' && tail.code === errors.UNKNOWN_TOPIC_OR_PARTITION.code) {
      await made.promise
      return undefined
    }
    if (tail.kind !== 'tail') throw refusedError(tail)
    const first: KafkaRecord[] = []
    for await (const step of tail.steps) {
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
  } finally {
    made.cancel()
  }
}

/** A promise is always truthy: an asynchronous function would match the first record. */
function isMatch(said: unknown, topic: string): boolean {
  if (typeof said === 'object' && said !== null && 'then' in said)
    throw new TypeError(`waitFor('${topic}', …): its function returns a promise; it must return true or false`)
  return Boolean(said)
}

/** Settles with the first matching event, or when the signal aborts. */
function nextEvent(
  heard: Heard,
  signal: AbortSignal,
  matches: (event: AgentEvent) => boolean,
): { readonly promise: Promise<void>; cancel(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const onAbort = (): void => resolve()
  const unlisten = heard.listen((event) => {
    if (matches(event)) resolve()
  })
  signal.addEventListener('abort', onAbort)
  return {
    promise,
    cancel() {
      unlisten()
      signal.removeEventListener('abort', onAbort)
    },
  }
}
