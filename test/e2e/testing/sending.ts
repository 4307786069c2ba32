// A producer of kafkajs that sends numbers in order, each when the one before was acknowledged.
import { setTimeout } from 'node:timers/promises'
import type { Producer } from 'kafkajs'

export interface Sending {
  acknowledged(): number
  /** Settles when so many were acknowledged; rejects when a send failed. */
  reached(count: number): Promise<void>
  end(): Promise<void>
}

/** Sends `0`, `1`, `2` …, each when the one before was acknowledged, and at least `everyMs` after it began. */
export function sendNumbers(producer: Producer, topic: string, { everyMs = 0 }: { readonly everyMs?: number } = {}): Sending {
  let number = 0
  let over = false
  let check: () => void = () => {}
  const running = (async () => {
    while (!over) {
      const pace = setTimeout(everyMs)
      await producer.send({ topic, acks: -1, messages: [{ value: String(number), partition: 0 }] })
      number += 1
      check()
      await pace
    }
  })()
  return {
    acknowledged: () => number,
    reached: (count) =>
      Promise.race([
        running,
        new Promise<void>((resolve) => {
          check = () => number >= count && resolve()
          check()
        }),
      ]),
    async end() {
      over = true
      await running
    },
  }
}
