// Answers with records on their way to a reader: they hold memory until they are sent, and a stalled reader gives way when other answers find no memory.
import { type AnswerClaim, StalledReaders } from '@local-kafka-service/agent'
import type { FastifyRequest } from 'fastify'
import { httpLimits } from './limits.ts'
import type { ServedAgent } from './served-agent.ts'

/** One answer. */
export interface AnswerOnItsWay {
  /** The answer's claim, released when the answer is sent or its connection ends. */
  readonly memory: AnswerClaim
  /** Yields the pieces, a few in each turn of the event loop, and notes how fast the reader takes them. */
  taken(pieces: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string>
  /** Closes the connection, because its client reads nothing. */
  readonly giveWay: (message: string) => void
}

interface StreamHolder {
  /** The time since which the reader has taken no piece, on the monotonic clock; undefined while no piece waits for it. */
  stalledSinceMs: number | undefined
  readonly giveWay: (message: string) => void
}

export type AnswerStreams = (request: FastifyRequest, raw: { on(event: 'close', closed: () => void): unknown }) => AnswerOnItsWay

/** Created once for both planes. */
export function answerStreams({ shared }: ServedAgent): AnswerStreams {
  const { httpAnswers, ioClock, turns, emit } = shared
  const holders = new Set<StreamHolder>()
  const stalled = new StalledReaders({ clock: ioClock, holders, giveWay: (holder, message) => holder.giveWay(message) })
  httpAnswers.onStarved(() => stalled.starved())
  return (request, raw) => {
    const memory = httpAnswers.claim()
    const holder: StreamHolder = {
      stalledSinceMs: undefined,
      giveWay: (message) => {
        const { address, connectionId } = request.requestContext.client
        holders.delete(holder)
        emit({ kind: 'gave way', connectionId, address, held: 'answers', message })
        request.raw.destroy()
      },
    }
    holders.add(holder)
    raw.on('close', () => {
      holders.delete(holder)
      memory.release()
    })
    return {
      memory,
      giveWay: holder.giveWay,
      async *taken(pieces) {
        const slice = turns.slice(httpLimits.answerBytesPerTurn)
        for await (const piece of pieces) {
          holder.stalledSinceMs = ioClock.monotonic()
          yield piece
          holder.stalledSinceMs = undefined
          if (slice.spent(piece.length)) await slice.next()
        }
        // The socket has the rest.
        holder.stalledSinceMs = ioClock.monotonic()
      },
    }
  }
}
