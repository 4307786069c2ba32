// How often something happened in the last hour, counted by the minute.

const minuteMs = 60_000
const minutesPerHour = 60

/** Times are those of a monotonic clock. */
export class HourlyRate {
  readonly #startMs: number
  /** The counts of the last 60 minutes, each at its minute's number modulo 60. */
  readonly #counts: number[] = new Array<number>(minutesPerHour).fill(0)
  /** The number of the newest minute that has a count. */
  #minute = 0

  constructor(nowMs: number) {
    this.#startMs = nowMs
  }

  count(nowMs: number): void {
    const at = this.#at(nowMs)
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
  }

  /** Scaled to an hour while less than an hour, but at least a minute, has passed since the start. */
  perHour(nowMs: number): number {
    this.#at(nowMs)
    const sum = this.#counts.reduce((total, count) => total + count, 0)
    // The newest minute is not over, so the counts cover up to a minute less than an hour.
    const minutes = (nowMs - this.#startMs) / minuteMs
    const covered = minutes < minutesPerHour ? Math.max(1, minutes) : minutesPerHour - 1 + (minutes % 1)
    return (sum * minutesPerHour) / covered
  }

  /** The place of the present minute. Forgets the minutes that are older than an hour. */
  #at(nowMs: number): number {
    const minute = Math.floor((nowMs - this.#startMs) / minuteMs)
    const passed = Math.min(minutesPerHour, minute - this.#minute)
    for (let back = 0; back < passed; back += 1) this.#counts[(minute - back) % minutesPerHour] = 0
    this.#minute = minute
    return minute % minutesPerHour
  }
}
