// A live tail as server-sent events: ids with the position of every partition, heartbeats, and an end for stalled readers.
import { type Clock, type LogRecord, orLate, type RecordTail, type TailStep } from '@local-kafka-service/agent'
import { httpLimits } from './limits.ts'
import { encodePositions } from './positions.ts'
import { bodyOf, Problem, problemOfRejection } from './problem.ts'
import { joined, recordText } from './record-text.ts'

export interface EventOptions {
  /** The one partition that is followed; undefined for all. */
  readonly partition: number | undefined
  readonly clock: Clock
  /** Aborts when the reader disconnects or the agent stops. */
  readonly signal: AbortSignal
  readonly requestId: string
  /** Called when the reader has read nothing for too long. */
  readonly stalled: () => void
}

/**
 * The text of the stream. It is produced only as fast as the reader takes it: meanwhile one page is in memory, and nothing is fetched.
 * The event of a record has no name, so that `onmessage` gets it. `unreadable` is a batch that cannot be decoded; `problem` is the reason for the end.
 */
export async function* eventText(tail: Extract<RecordTail, { kind: 'tail' }>, options: EventOptions): AsyncGenerator<string> {
  const { topicId } = tail.topic
  const positions = [...tail.positions]
  const idOf = (): string => encodePositions({ topicId, positions })
  const watched = stallWatch(options)
  // An id without data is not an event, but a reader resumes from it.
  yield* watched(`retry: 1000\nid: ${idOf()}\n\n`)
  for await (const step of withHeartbeats(tail.steps, options)) {
    if (step === 'heartbeat') {
      yield* watched(': still here\n\n')
      continue
    }
    if (step.kind === 'ended') {
      yield* watched(event('problem', bodyOf(problemOfEnd(step.why), options.requestId)))
      return
    }
    for (const batch of step.unreadable) yield* watched(event('unreadable', batch))
    for (const record of step.records) {
      positions[indexOf(record, options.partition)] = record.offset + 1
      for (const piece of joined(eventPieces(`id: ${idOf()}\ndata: `, record))) yield* watched(piece)
    }
    for (const [index, offset] of step.positions.entries()) positions[index] = offset
    yield* watched(`id: ${idOf()}\n\n`)
  }
  yield* watched(': the agent stops\n\n')
}

/** The steps, with a heartbeat after each silence. A pending step is never dropped. */
async function* withHeartbeats(steps: AsyncIterable<TailStep>, { clock }: EventOptions): AsyncGenerator<TailStep | 'heartbeat'> {
  const iterator = steps[Symbol.asyncIterator]()
  try {
    for (let next = iterator.next(); ; ) {
      const first = await orLate(next, { clock, afterMs: httpLimits.heartbeatMs }, 'heartbeat' as const)
      if (first === 'heartbeat') {
        yield first
        continue
      }
      if (first.done === true) return
      yield first.value
      next = iterator.next()
    }
  } finally {
    await iterator.return?.()
  }
}

/** Hands over text, and calls `stalled` when the reader does not take it in time. */
function stallWatch({ clock, stalled }: EventOptions): (text: string) => Generator<string> {
  return function* watched(text) {
    const timer = clock.after(httpLimits.eventStallMs, stalled)
    try {
      yield text
    } finally {
      timer.cancel()
    }
  }
}

function indexOf(record: LogRecord, partition: number | undefined): number {
  return partition === undefined ? record.partition : 0
}

function* eventPieces(head: string, record: LogRecord): Generator<string> {
  yield head
  yield* recordText(record)
  yield '\n\n'
}

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

function problemOfEnd(why: Extract<TailStep, { kind: 'ended' }>['why']): Problem {
  return why.kind === 'elsewhere' ? new Problem('notLeader') : problemOfRejection(why)
}
