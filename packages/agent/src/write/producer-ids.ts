// Producer ids for idempotent producers, handed out from blocks that the database gave this agent alone.

/** Ids per block: one database call in so many InitProducerIds; a restart wastes the rest, of 2^53. */
const blockSize = 1_000

export class ProducerIds {
  readonly #allocate: (count: number) => Promise<number>
  #next = 0
  #end = 0
  #loading: Promise<void> | undefined

  constructor(allocate: (count: number) => Promise<number>) {
    this.#allocate = allocate
  }

  /** An id that nobody ever had. Rejects as the database does. */
  async next(): Promise<number> {
    while (this.#next >= this.#end) {
      this.#loading ??= this.#load().finally(() => {
        this.#loading = undefined
      })
      await this.#loading
    }
    return this.#next++
  }

  async #load(): Promise<void> {
    const first = await this.#allocate(blockSize)
    this.#next = first
    this.#end = first + blockSize
  }
}
