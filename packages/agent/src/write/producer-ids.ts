// Producer ids for idempotent producers: each comes from the database when it is asked for, so that the database knows which logs are older than the id.

/** Ids in one call to the database. More waiters than this take turns. */
const mostAtOnce = 1_000

export class ProducerIds {
  readonly #allocate: (count: number) => Promise<number>
  #waiting: PromiseWithResolvers<number>[] = []
  #allocating = false

  constructor(allocate: (count: number) => Promise<number>) {
    this.#allocate = allocate
  }

  /** An id that was never given out before. Requests that arrive during a call to the database share the next call. Rejects as the database does. */
  next(): Promise<number> {
    const waiter = Promise.withResolvers<number>()
    this.#waiting.push(waiter)
    if (!this.#allocating) void this.#serve()
    return waiter.promise
  }

  async #serve(): Promise<void> {
    this.#allocating = true
    while (this.#waiting.length > 0) {
      const served = this.#waiting.slice(0, mostAtOnce)
      this.#waiting = this.#waiting.slice(mostAtOnce)
      try {
        const first = await this.#allocate(served.length)
        for (const [at, waiter] of served.entries()) waiter.resolve(first + at)
      } catch (error) {
        for (const waiter of served) waiter.reject(error)
      }
    }
    this.#allocating = false
  }
}
