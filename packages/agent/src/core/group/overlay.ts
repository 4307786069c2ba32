// A keyed table that holds changes to another table, which stays as it is: a step is computed on it without changing the state.

/** The methods that a Map and an Overlay share. Values are never undefined. */
export interface Table<V> {
  readonly size: number
  get(key: string): V | undefined
  has(key: string): boolean
  set(key: string, value: V): unknown
  delete(key: string): unknown
  [Symbol.iterator](): Iterator<[string, V]>
}

/** Its cost depends on the rows written to it, not on those of the table below. */
export class Overlay<V> implements Table<V> {
  readonly #below: Table<V>
  readonly #written = new Map<string, V | undefined>()
  #size: number

  constructor(below: Table<V>) {
    this.#below = below
    this.#size = below.size
  }

  get size(): number {
    return this.#size
  }

  get(key: string): V | undefined {
    return this.#written.has(key) ? this.#written.get(key) : this.#below.get(key)
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  set(key: string, value: V): void {
    if (!this.has(key)) this.#size++
    this.#written.set(key, value)
  }

  delete(key: string): void {
    if (!this.has(key)) return
    this.#size--
    this.#written.set(key, undefined)
  }

  /** Iterates in the order of a Map after the same changes. Like in a Map, rows may be overwritten or removed meanwhile. */
  *[Symbol.iterator](): Generator<[string, V], void, undefined> {
    for (const [key, value] of this.#below) {
      const current = this.#written.has(key) ? this.#written.get(key) : value
      if (current !== undefined) yield [key, current]
    }
    for (const [key, value] of this.#written) if (value !== undefined && !this.#below.has(key)) yield [key, value]
  }
}
