// The record of requests and answers: the last requests, and separately the last ones with errors, which frequent long polls would displace.
import type { InterceptedRequest, Misunderstood } from '@local-kafka-service/agent'
import { errorsIn } from './answer-errors.ts'
import { type ApiName, apiNames, unservedApiNames } from './kafka-names.ts'
import type { ExpectNoErrorsOptions, RequestFilter, RequestOutcome, SeenApi, SeenError, SeenRequest } from './seen-request.ts'
import { summaryOf } from './summary.ts'
import { isNobodys, isOfServices } from './whose-error.ts'

/** About 500 bytes each. */
const keptRequests = 2_000
/** The limit for one request. */
const keptTopics = 100
const keptErrors = 500
const shownErrors = 20

/** A pending request. */
export interface RecordedRequest {
  readonly seen: SeenRequest & { readonly api: ApiName }
  touchedBy(fault: string): void
  settled(end: RecordedEnd): void
}

export interface NotServed extends Pick<Misunderstood, 'atMs' | 'client' | 'message'> {
  readonly request: NonNullable<Misunderstood['request']>
  readonly connectionId: number
}

export interface RecordedEnd {
  readonly outcome: Exclude<RequestOutcome, 'waiting'>
  readonly response: object | undefined
  readonly durationMs: number
  /** The last store fault that was applied while the request was pending. */
  readonly serviceFault: string | undefined
}

type MutableRequest<T> = { -readonly [K in keyof T]: T[K] }

/** A failure that a client saw: an error of a request, or one without a request. */
interface ReportedError {
  readonly at: number
  readonly request: SeenRequest | undefined
  readonly error: SeenError | undefined
  readonly words: string
}

export class RequestRecord {
  readonly #requests = new Ring<SeenRequest>(keptRequests)
  readonly #errors = new Ring<ReportedError>(keptErrors)

  /** Holds no reference to the body or the answer. */
  begin(asked: InterceptedRequest): RecordedRequest {
    const { client, groups } = asked
    const seen: MutableRequest<RecordedRequest['seen']> = {
      at: asked.atMs,
      api: apiOf(asked.api),
      version: asked.version,
      clientId: client.id ?? undefined,
      software: client.software && `${client.software.name} ${client.software.version}`,
      connection: client.connectionId,
      topics: asked.topics.slice(0, keptTopics),
      groupId: groups.length === 1 ? groups[0] : undefined,
      summary: summaryOf(asked),
      outcome: 'waiting',
      durationMs: undefined,
      errors: [],
      faults: [],
    }
    const { nameOf } = asked
    this.#requests.push(seen)
    return {
      seen,
      touchedBy(fault) {
        seen.faults = [...seen.faults, fault]
      },
      settled: ({ outcome, response, durationMs, serviceFault }) => {
        seen.outcome = outcome
        seen.durationMs = durationMs
        if (response !== undefined && outcome === 'answered') seen.errors = errorsIn(response, { nameOf })
        if (serviceFault !== undefined && (outcome === 'closed' || seen.errors.some(({ error }) => isOfServices(error))))
          seen.faults = [...seen.faults, serviceFault]
        for (const error of seen.errors) this.#errors.push({ at: seen.at, request: seen, error, words: errorWords(error) })
        if (outcome === 'closed' && seen.faults.length === 0)
          this.#errors.push({
            at: seen.at,
            request: seen,
            error: undefined,
            words: 'was rejected: the connection was closed instead of an answer',
          })
      },
    }
  }

  /** A request that the server does not serve, or cannot decode: the connection was closed instead of an answer. */
  notServed({ atMs, client, request, message, connectionId }: NotServed): void {
    const seen: SeenRequest = {
      at: atMs,
      api: seenApiOf(request.api),
      version: request.version,
      clientId: client.id ?? undefined,
      software: client.software && `${client.software.name} ${client.software.version}`,
      connection: connectionId,
      topics: [],
      groupId: undefined,
      summary: message,
      outcome: 'closed',
      durationMs: undefined,
      errors: [],
      faults: [],
    }
    this.#requests.push(seen)
    this.#errors.push({ at: atMs, request: seen, error: undefined, words: `was rejected: ${message}; the connection was closed` })
  }

  /** Clears everything, including pending requests. */
  forget(): void {
    this.#requests.clear()
    this.#errors.clear()
  }

  /** Failures without a request: a client that could not be decoded, or a function of the test that threw. */
  reportError(at: number, words: string): void {
    this.#errors.push({ at, request: undefined, error: undefined, words })
  }

  /** The last 2,000, oldest first; pending ones are `waiting`. */
  requests(filter: RequestFilter = {}): readonly SeenRequest[] {
    const { api, clientId, topic, groupId, outcome, where } = filter
    return this.#requests.items
      .filter(
        (seen) =>
          (api === undefined || seen.api === api) &&
          (clientId === undefined || seen.clientId === clientId) &&
          (topic === undefined || seen.topics.includes(topic)) &&
          (groupId === undefined || seen.groupId === groupId) &&
          (outcome === undefined || seen.outcome === outcome),
      )
      .map((seen) => ({ ...seen }))
      .filter((seen) => where?.(seen) ?? true)
  }

  /** Throws an Error that lists the client errors that no fault caused. */
  expectNoErrors({ ignore = [] }: ExpectNoErrorsOptions = {}): void {
    const meant = (error: SeenError, request: SeenRequest): boolean =>
      typeof ignore === 'function' ? ignore(error, request) : ignore.includes(error.error)
    const unmeant = this.#errors.items.filter(
      ({ request, error }) =>
        request === undefined ||
        error === undefined ||
        (request.faults.length === 0 && !isNobodys(request.api, error.error) && !meant(error, request)),
    )
    if (unmeant.length > 0) throw new Error(report(unmeant))
  }

  /** The last `count` errors that clients received, one line each, oldest first; without expected errors of the protocol. */
  lastErrors(count: number): readonly string[] {
    return this.#errors.items
      .filter(({ request, error }) => request === undefined || error === undefined || !isNobodys(request.api, error.error))
      .slice(-count)
      .map(lineOf)
  }
}

function report(errors: readonly ReportedError[]): string {
  const count = errors.length === 1 ? 'An error' : `${errors.length} errors`
  const shown = errors.slice(-shownErrors).map((error) => `  ${lineOf(error)}`)
  const names = [...new Set(errors.flatMap(({ error }) => (error === undefined ? [] : [`'${error.error}'`])))]
  return [
    `${count} that no fault caused:`,
    ...(errors.length > shownErrors ? [`  … ${errors.length - shownErrors} more before these`] : []),
    ...shown,
    ...(names.length === 0 ? [] : [`If this is expected: expectNoErrors({ ignore: [${names.slice(0, 5).join(', ')}] })`]),
  ].join('\n')
}

/** `12:04:11.120 billing (kafkajs 2.2.4) Produce 7 orders[0]: NOT_LEADER_OR_FOLLOWER`. */
function lineOf({ at, request, words }: ReportedError): string {
  const time = new Date(at).toISOString().slice(11, 23)
  if (request === undefined) return `${time} ${words}`
  const { clientId, software, api, version, connection, faults } = request
  const who = [clientId ?? `connection ${connection}`, software && `(${software})`].filter((part) => part !== undefined).join(' ')
  const cause = faults.length === 0 ? '' : ` (${faults.join(', ')})`
  return `${time} ${who} ${api} ${version} ${words}${cause}`
}

function errorWords({ error, topic, partition, group, message }: SeenError): string {
  const place = topic === undefined ? group : partition === undefined ? topic : `${topic}[${partition}]`
  return `${place === undefined ? '' : `${place}: `}${error}${message === undefined ? '' : `, ${message}`}`
}

/** The check that earns the cast: a served API is in the generated list. */
function apiOf(name: string): ApiName {
  const known = apiNames.find((api) => api === name)
  if (known === undefined) throw new RangeError(`${name} is not among the generated names of the APIs`)
  return known
}

/** An API that Kafka does not have is named by its key: `API 999`. */
function seenApiOf(name: string): SeenApi {
  const known = [...apiNames, ...unservedApiNames].find((api) => api === name)
  return known ?? `API ${Number(name.slice('API '.length))}`
}

/** Keeps the last `size` pushed items. */
class Ring<T> {
  readonly #size: number
  #items: T[] = []
  #next = 0

  constructor(size: number) {
    this.#size = size
  }

  /** Oldest first. */
  get items(): readonly T[] {
    return [...this.#items.slice(this.#next), ...this.#items.slice(0, this.#next)]
  }

  clear(): void {
    this.#items = []
    this.#next = 0
  }

  push(item: T): void {
    this.#items[this.#next] = item
    this.#next = (this.#next + 1) % this.#size
  }
}
