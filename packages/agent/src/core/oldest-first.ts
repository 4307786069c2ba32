// Maps and sets whose oldest entry is found in constant time, for caches that forget what was used longest ago.

/**
 * Of a plain Map or Set, each look at the first entry begins at the memory of all entries that were removed before it: on average, half as many steps as there
 * are entries. This one remembers where it was.
 */
class OldestKey<K> {
  readonly #keys: () => Iterator<K>
  /** What follows the oldest entry. All entries before it are gone, except `#oldest`. */
  #rest: Iterator<K>
  #oldest: { readonly key: K } | undefined

  constructor(keys: () => Iterator<K>) {
    this.#keys = keys
    this.#rest = keys()
  }

  /** The key left its place. */
  left(key: K): void {
    if (this.#oldest?.key === key) this.#oldest = undefined
  }

  /** Undefined: there is none. */
  get(): K | undefined {
    this.#oldest ??= this.#next() ?? this.#fromBeginning()
    return this.#oldest?.key
  }

  #next(): { readonly key: K } | undefined {
    const next = this.#rest.next()
    return next.done === true ? undefined : { key: next.value }
  }

  /** An iterator that has ended does not see what was added later. */
  #fromBeginning(): { readonly key: K } | undefined {
    this.#rest = this.#keys()
    return this.#next()
  }
}

/** Like a Map, but `set` makes its entry the newest, also if it was there. */
export class OldestFirstMap<K, V> implements Iterable<readonly [K, V]> {
  readonly #map = new Map<K, V>()
  readonly #oldest = new OldestKey(() => this.#map.keys())

  get size(): number {
    return this.#map.size
  }

  has(key: K): boolean {
    return this.#map.has(key)
  }

  get(key: K): V | undefined {
    return this.#map.get(key)
  }

  set(key: K, value: V): void {
    this.delete(key)
    this.#map.set(key, value)
  }

  /** Whether the key was there. */
  delete(key: K): boolean {
    this.#oldest.left(key)
    return this.#map.delete(key)
  }

  /** The key of the oldest entry, which stays. */
  oldestKey(): K | undefined {
    return this.#oldest.get()
  }

  /** The oldest first. */
  [Symbol.iterator](): Iterator<readonly [K, V]> {
    return this.#map.entries()
  }
}

/** Like a Set, but `add` makes its item the newest, also if it was there. */
export class OldestFirstSet<T> implements Iterable<T> {
  readonly #set = new Set<T>()
  readonly #oldest = new OldestKey(() => this.#set.values())

  get size(): number {
    return this.#set.size
  }

  has(item: T): boolean {
    return this.#set.has(item)
  }

  add(item: T): void {
    this.delete(item)
    this.#set.add(item)
  }

  /** Whether the item was there. */
  delete(item: T): boolean {
    this.#oldest.left(item)
    return this.#set.delete(item)
  }

  /** The oldest item, which stays. */
  oldest(): T | undefined {
    return this.#oldest.get()
  }

  /** The oldest first. */
  [Symbol.iterator](): Iterator<T> {
    return this.#set.values()
  }
}
