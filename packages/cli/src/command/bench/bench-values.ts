// The values that a bench writes: a mark of the run, the time of sending, then random letters.

const markBytes = 8
export const headBytes = markBytes + 8

/** Letters that a codec can compress as little or as much as those of Kafka's own tool for this. */
const letters = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ')
/** Values are cut from this many letters, so that making them costs little. */
const poolBytes = 256 * 1024

export class BenchValues {
  readonly #sizeBytes: number
  readonly #mark: Buffer
  readonly #pool: Buffer

  /** `random` returns a number from 0 to less than 1. */
  constructor({ sizeBytes, mark, random }: { readonly sizeBytes: number; readonly mark: Buffer; readonly random: () => number }) {
    this.#sizeBytes = sizeBytes
    this.#mark = mark
    this.#pool = Buffer.alloc(poolBytes + sizeBytes)
    for (let at = 0; at < this.#pool.length; at++) this.#pool[at] = letters[Math.floor(random() * letters.length)] ?? 0
  }

  static newMark(random: () => number): Buffer {
    return Buffer.from(Array.from({ length: markBytes }, () => Math.floor(random() * 256)))
  }

  /** `nowMs` and `random` as of the moment of sending. */
  value(nowMs: number, random: number): Buffer {
    const value = Buffer.allocUnsafe(this.#sizeBytes)
    this.#mark.copy(value)
    value.writeDoubleBE(nowMs, markBytes)
    const from = Math.floor(random * poolBytes)
    this.#pool.copy(value, headBytes, from, from + this.#sizeBytes - headBytes)
    return value
  }

  /** When the value was sent. Undefined for a record of another program. */
  sentAtMs(value: Buffer | null): number | undefined {
    if (value === null || value.length < headBytes || !value.subarray(0, markBytes).equals(this.#mark)) return undefined
    return value.readDoubleBE(markBytes)
  }
}
