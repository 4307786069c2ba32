// Producer ids for idempotent producers. The database allocates each on request, so that it knows which logs are older than the id.

/** The most ids in one call to the database. Further requests wait for the next call. */
const mostAtOnce = 1_000

export class ProducerIds {
  readonly #allocate: (count: number) => Promise<number>
  #waiting: PromiseWithResolvers<number>[] = []
  #allocating = false

  constructor(allocate: (count: number) => Promise<number>) {
    this.#allocate = allocate
  }

  /** A new id, never allocated before. Requests that arrive during a call to the database share the next call. Rejects as the database does. */
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
