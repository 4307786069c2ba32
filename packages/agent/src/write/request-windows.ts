// How many requests each producer keeps unanswered: while it has fewer than usual, more of them are on their way.
import { assert, must } from '../core/assert.ts'
import type { AdmissionCounts } from './closed-loops.ts'

interface RequestWindow {
  /** Its admissions that are not answered, in all objects. */
  unanswered: number
  /** The most that it had lately. */
  usual: number
  /** Answers since it had as many. */
  answersSince: number
}

/** A client has a limit of requests in flight (Kafka's default is 5), which it does not announce. So this is an estimate, and waits that trust it need a bound. */
export class RequestWindows {
  readonly #windows = new WeakMap<object, RequestWindow>()

  admitted(connection: object): void {
    const window = this.#windows.get(connection) ?? { unanswered: 0, usual: 0, answersSince: 0 }
    this.#windows.set(connection, window)
    window.unanswered += 1
    if (window.unanswered < window.usual) return
    window.usual = window.unanswered
    window.answersSince = 0
  }

  /** The admissions in an object are answered. */
  answered(counts: AdmissionCounts): void {
    for (const [connection, count] of counts) {
      const window = this.#known(connection)
      assert(count <= window.unanswered, 'an answered admission was unanswered before')
      window.unanswered -= count
      window.answersSince += 1
      if (window.answersSince <= answersToForget) continue
      window.usual = Math.max(1, window.usual - 1)
      window.answersSince = 0
    }
  }

  /** Whether one of these producers may send more before it is answered. */
  mayGrow(counts: AdmissionCounts): boolean {
    for (const connection of counts.keys()) {
      const { unanswered, usual } = this.#known(connection)
      if (unanswered < usual) return true
    }
    return false
  }

  #known(connection: object): RequestWindow {
    return must(this.#windows.get(connection), 'the window of a producer with admissions')
  }
}

/** A producer that does not come back to its usual number for so many answers gets a smaller one. */
const answersToForget = 32
