// Seeded random numbers: the same seed draws the same numbers, and each part of a world draws from its own stream.
import type { Random } from '@local-kafka-service/agent'

export class Chance implements Random {
  readonly #name: string
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** Streams with different names are independent, so one more draw in one part does not shift the others. */
  constructor(name: string) {
    this.#name = name
    this.#a = hash(`${name}/a`)
    this.#b = hash(`${name}/b`)
    this.#c = hash(`${name}/c`)
    for (let warm = 0; warm < 12; warm += 1) this.#draw()
  }

  stream(name: string): Chance {
    return new Chance(`${this.#name}/${name}`)
  }

  next(): number {
    return this.#draw() / 0x1_0000_0000
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#draw() & 0xff)
  }

  happens(probability: number): boolean {
    return this.next() < probability
  }

  /** Up to `most` with the probability, otherwise 0. */
  sometimes(probability: number, most: number): number {
    return this.happens(probability) ? this.between([0, most]) : 0
  }

  /** Uniform over the range, not rounded, so that two events hardly ever happen at the same instant. */
  between([from, to]: Range): number {
    return from + (to - from) * this.next()
  }

  /** An integer in the range, both ends included. */
  whole([from, to]: Range): number {
    return from + Math.floor((to - from + 1) * this.next())
  }

  pick<T>(of: readonly T[]): T {
    const picked = of[Math.floor(this.next() * of.length)]
    if (picked === undefined) throw new RangeError('nothing to pick from')
    return picked
  }

  /** sfc32: small, fast, and passes PractRand. */
  #draw(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }
}

export type Range = readonly [from: number, to: number]

/** FNV-1a over UTF-16 code units. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}
