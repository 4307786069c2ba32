// Room for batches that will be admitted: bytes of the writer's budget, reserved before the first batch and used batch by batch.
import type { ByteBudget } from '../observe/byte-budget.ts'

export class Room {
  readonly #budget: ByteBudget
  #leftBytes: number

  /** The bytes have been taken from the budget. */
  constructor(budget: ByteBudget, takenBytes: number) {
    this.#budget = budget
    this.#leftBytes = takenBytes
  }

  /** The bytes now belong to an admitted batch, whose answer releases them. */
  use(bytes: number): void {
    const reservedBytes = Math.min(bytes, this.#leftBytes)
    this.#leftBytes -= reservedBytes
    this.#budget.take(bytes - reservedBytes)
  }

  /** Gives back what no batch has used. Idempotent. */
  release(): void {
    this.#budget.release(this.#leftBytes)
    this.#leftBytes = 0
  }
}
