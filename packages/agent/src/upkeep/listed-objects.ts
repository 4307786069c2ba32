// Which objects a list of the store has found, in little memory, and which of the database's are not among them.
import { fixedLimits } from '../limits.ts'
import type { DamageStore } from '../metadata/damage-store.ts'
import type { CommittedObject, ObjectId } from '../metadata/recovery-store.ts'
import type { ObjectStore } from '../objects/object-store.ts'

/** Objects that segments of living topics name, and that the store does not have. */
export interface MissingObjects {
  readonly objects: number
  /** The keys of the first ones, in order. */
  readonly keys: readonly string[]
}

export interface MissingParts {
  readonly rows: Pick<DamageStore, 'objects' | 'segmentsIn'>
  readonly listed: Pick<ObjectStore, 'list'>
}

/** Eight bytes for each object. Above `fixedLimits.reconciledObjects` it knows nothing. */
export class ListedObjects {
  #ids = new Float64Array(1_024)
  #count = 0
  #isSorted = true
  #isWhole = true

  add({ incarnation, sequence }: ObjectId): void {
    const id = idOf({ incarnation, sequence })
    if (this.#count === fixedLimits.reconciledObjects || !Number.isSafeInteger(id)) {
      this.#isWhole = false
      return
    }
    if (this.#count === this.#ids.length) {
      const grown = new Float64Array(2 * this.#count)
      grown.set(this.#ids)
      this.#ids = grown
    }
    this.#ids[this.#count++] = id
    this.#isSorted = false
  }

  /**
   * Call it after the list. Undefined: there are too many objects to know. An object that was committed since the list is looked for by itself; one that no segment names any more is
   * about to be removed, and is not missing. Rejects as the stores do.
   */
  async missing({ rows, listed }: MissingParts, signal: AbortSignal): Promise<MissingObjects | undefined> {
    if (!this.#isWhole) return undefined
    const missing: CommittedObject[] = []
    for (let after: ObjectId | undefined; missing.length < fixedLimits.damageReports; ) {
      signal.throwIfAborted()
      const page = await rows.objects({ maxObjects: fixedLimits.checkObjectsPerStep, ...(after && { after }) })
      const last = page.at(-1)
      if (last === undefined) break
      after = { incarnation: last.incarnation, sequence: last.sequence }
      for (const object of page) if (!this.#has(object) && !(await isThere(listed, object.key, signal))) missing.push(object)
    }
    if (missing.length === 0) return { objects: 0, keys: [] }
    const named = new Set((await rows.segmentsIn(missing)).map(({ segment }) => segment.objectKey))
    const keys = missing.flatMap(({ key }) => (named.has(key) ? [key] : []))
    return { objects: keys.length, keys: keys.slice(0, fixedLimits.damageReasons) }
  }

  #has(object: ObjectId): boolean {
    if (!this.#isSorted) this.#ids.subarray(0, this.#count).sort()
    this.#isSorted = true
    const wanted = idOf(object)
    let [low, high] = [0, this.#count]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ids[middle] ?? Number.POSITIVE_INFINITY) < wanted) low = middle + 1
      else high = middle
    }
    return low < this.#count && this.#ids[low] === wanted
  }
}

async function isThere(listed: Pick<ObjectStore, 'list'>, wanted: string, signal: AbortSignal): Promise<boolean> {
  for await (const { key } of listed.list(wanted, { signal })) return key === wanted
  return false
}

/** Exact up to 2^53: a million incarnations with eight billion flushes each. */
function idOf({ incarnation, sequence }: ObjectId): number {
  return incarnation * 2 ** 33 + sequence
}
