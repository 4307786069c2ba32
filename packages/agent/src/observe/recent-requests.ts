// The requests of the last minutes: who asks what, how long the answers take, and which errors they have. A page of the console shows it.
import { errorName } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { Clock } from '../time/clock.ts'
import type { AgentEvent, EventOf } from './events.ts'

/** One API of one client. */
export interface RequestRow {
  /** The client id that the requests have; null if they have none. */
  readonly clientId: string | null
  /** True: these are the requests of all clients for which there was no room of their own; `clientId` is null. */
  readonly others: boolean
  readonly api: string
  readonly requests: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly meanMs: number
  /** The upper bounds of the intervals that hold the median and the 99th percentile. The intervals end at 1, 2, 5, 10, … 10,000 and 30,000 ms. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly errors: readonly ErrorRow[]
}

/** One error in the answers. */
export interface ErrorRow {
  /** Kafka's name of it. */
  readonly error: string
  /** A request about several partitions may have it several times. */
  readonly count: number
  /** What the last one was about, `topic 'orders'`, and why, if the server reported it: many errors need no explanation. */
  readonly subject: string | undefined
  readonly message: string | undefined
  /** When it was counted last, in milliseconds since the epoch. */
  readonly lastAtMs: number
}

export const recentMinutes = 10
/** More clients than these in one minute share the rows of the others. Clients choose their ids and requests, so these bounds are those of the memory: some 10 MB. */
const clientsPerMinute = 200
/** One API of one client. Above it a client's next APIs are in the rows of the others. */
const rowsPerMinute = 1_000
/** What is kept of a client id, of a subject and of a message, in characters. */
const keptLength = 255

const minuteMs = 60_000
/** Durations are counted in intervals up to these bounds; the last interval has none. */
const boundsMs = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000]

interface Counts {
  requests: number
  bytesIn: number
  bytesOut: number
  totalMs: number
  maxMs: number
  /** One more than there are bounds. */
  readonly durations: Uint32Array
  readonly errors: Map<string, ErrorCounts>
}

interface ErrorCounts {
  /** In answers. */
  answered: number
  /** Reported beside the answers, which have the same errors; a Produce with acks=0 has no answer. */
  reported: number
  subject: string | undefined
  message: string | undefined
  lastAtMs: number
}

/** Key of the clients without a row of their own; a client id is a text or null. */
const others = Symbol('other clients')
type ClientKey = string | null | typeof others
type MinuteCounts = Map<ClientKey, Map<string, Counts>>

export class RecentRequests {
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>
  /** The counts of the last minutes, each at its minute's number modulo their count. */
  readonly #minutes: MinuteCounts[] = Array.from({ length: recentMinutes }, () => new Map())
  #minute = 0
  /** The rows of the present minute, without those of the others. */
  #rows = 0

  constructor(clock: Pick<Clock, 'now' | 'monotonic'>) {
    this.#clock = clock
  }

  /** An event hook. */
  readonly count = (event: AgentEvent): void => {
    if (event.kind === 'request') this.#of(event.clientId, event.api).bytesIn += event.sizeBytes
    else if (event.kind === 'reply') this.#replied(this.#of(event.clientId, event.api), event)
    else if (event.kind === 'rejected') this.#rejected(this.#of(event.client.id ?? null, event.api), event)
  }

  /** The rows of the last minutes, up to ten: the present one, which is not over, and those before it. The most frequent requests are first. */
  read(minutes: number): readonly RequestRow[] {
    this.#now()
    const sums: MinuteCounts = new Map()
    for (let back = Math.min(minutes, recentMinutes, this.#minute + 1) - 1; back >= 0; back -= 1)
      for (const [client, apis] of must(this.#minutes[(this.#minute - back) % recentMinutes], 'a minute has counts'))
        for (const [api, counts] of apis) add(countsOf(sums, client, api), counts)
    return [...sums]
      .flatMap(([client, apis]) => [...apis].map(([api, counts]) => rowOf(client, api, counts)))
      .toSorted((one, other) => other.requests - one.requests)
  }

  #of(clientId: string | null, api: string): Counts {
    const minute = this.#now()
    const client = clientId === null ? null : kept(clientId)
    const known = minute.get(client)
    if (known?.has(api) === true) return countsOf(minute, client, api)
    if (this.#rows >= rowsPerMinute || (known === undefined && minute.size >= clientsPerMinute)) return countsOf(minute, others, api)
    this.#rows += 1
    return countsOf(minute, client, api)
  }

  #replied(counts: Counts, { sizeBytes, durationMs, errors }: EventOf<'reply'>): void {
    counts.requests += 1
    counts.bytesOut += sizeBytes
    counts.totalMs += durationMs
    counts.maxMs = Math.max(counts.maxMs, durationMs)
    addTo(counts.durations, intervalOf(durationMs), 1)
    if (errors !== undefined)
      for (const [code, count] of errors) this.#errorOf(counts, errorName(code) ?? `error ${code}`).answered += count
  }

  #rejected(counts: Counts, { error: name, subject, message }: EventOf<'rejected'>): void {
    const error = this.#errorOf(counts, name)
    error.reported += 1
    error.subject = subject === undefined ? undefined : kept(subject)
    error.message = kept(message)
  }

  #errorOf({ errors }: Counts, name: string): ErrorCounts {
    const known = errors.get(name)
    const error = known ?? { answered: 0, reported: 0, subject: undefined, message: undefined, lastAtMs: 0 }
    error.lastAtMs = this.#clock.now()
    if (known === undefined) errors.set(name, error)
    return error
  }

  /** The counts of the present minute. Forgets the minutes that are too old. */
  #now(): MinuteCounts {
    const minute = Math.floor(this.#clock.monotonic() / minuteMs)
    const passed = Math.min(recentMinutes, minute - this.#minute)
    for (let back = 0; back < passed; back += 1) this.#minutes[(minute - back) % recentMinutes] = new Map()
    if (passed > 0) this.#rows = 0
    this.#minute = minute
    return must(this.#minutes[minute % recentMinutes], 'a minute has counts')
  }
}

/** A copy of the beginning of a long text: a slice would keep all of it in memory. */
function kept(text: string): string {
  return text.length <= keptLength ? text : Buffer.from(text.slice(0, keptLength)).toString()
}

function countsOf(minute: MinuteCounts, client: ClientKey, api: string): Counts {
  let apis = minute.get(client)
  if (apis === undefined) minute.set(client, (apis = new Map()))
  let counts = apis.get(api)
  if (counts === undefined) {
    const durations = new Uint32Array(boundsMs.length + 1)
    apis.set(api, (counts = { requests: 0, bytesIn: 0, bytesOut: 0, totalMs: 0, maxMs: 0, durations, errors: new Map() }))
  }
  return counts
}

function add(sum: Counts, more: Counts): void {
  sum.requests += more.requests
  sum.bytesIn += more.bytesIn
  sum.bytesOut += more.bytesOut
  sum.totalMs += more.totalMs
  sum.maxMs = Math.max(sum.maxMs, more.maxMs)
  for (const [at, count] of more.durations.entries()) addTo(sum.durations, at, count)
  for (const [name, last] of more.errors) {
    const before = sum.errors.get(name)
    sum.errors.set(name, before === undefined ? { ...last } : joined(before, last))
  }
}

function joined(before: ErrorCounts, last: ErrorCounts): ErrorCounts {
  return {
    answered: before.answered + last.answered,
    reported: before.reported + last.reported,
    subject: last.subject ?? before.subject,
    message: last.message ?? before.message,
    lastAtMs: last.lastAtMs,
  }
}

function addTo(durations: Uint32Array, interval: number, count: number): void {
  durations[interval] = must(durations[interval], 'a duration has an interval') + count
}

function rowOf(client: ClientKey, api: string, { requests, bytesIn, bytesOut, totalMs, maxMs, durations, errors }: Counts): RequestRow {
  return {
    clientId: client === others ? null : client,
    others: client === others,
    api,
    requests,
    bytesIn,
    bytesOut,
    meanMs: requests === 0 ? 0 : totalMs / requests,
    p50Ms: Math.min(maxMs, quantile(durations, requests, 0.5)),
    p99Ms: Math.min(maxMs, quantile(durations, requests, 0.99)),
    maxMs,
    errors: [...errors].map(([error, { answered, reported, ...last }]) => ({ error, count: Math.max(answered, reported), ...last })),
  }
}

function intervalOf(durationMs: number): number {
  const at = boundsMs.findIndex((boundMs) => durationMs <= boundMs)
  return at === -1 ? boundsMs.length : at
}

/** The upper bound of the interval that holds the quantile; Infinity for the last one. */
function quantile(durations: Uint32Array, total: number, part: number): number {
  let seen = 0
  for (const [at, count] of durations.entries()) {
    seen += count
    if (seen >= total * part) return boundsMs[at] ?? Infinity
  }
  return Infinity
}
