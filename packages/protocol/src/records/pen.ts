// Writes the fields of records: zigzag varints, and bytes with their length.

/** Writes zigzag varints and fields with a length, one after another. The memory must have room for them. */
export class Pen {
  readonly #bytes: Uint8Array
  #at: number

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  varint(value: number): void {
    let left = zigzag(value)
    while (left >= 0x80) {
      this.#bytes[this.#at++] = (left % 0x80) | 0x80
      left = Math.floor(left / 0x80)
    }
    this.#bytes[this.#at++] = left
  }

  octets(bytes: Uint8Array | null): void {
    if (bytes === null) {
      this.varint(-1)
      return
    }
    this.varint(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** Copies bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  byte(value: number): void {
    this.#bytes[this.#at++] = value
  }
}

/** The bytes that the number takes as a zigzag varint. */
export function varintSize(value: number): number {
  let size = 1
  for (let left = zigzag(value); left >= 0x80; left = Math.floor(left / 0x80)) size++
  return size
}

/** Maps small numbers of either sign to small unsigned ones. Exact within 2^52. */
function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1
}
