// The request interceptor of an embedded server: records every request, and applies the active faults.
import type {
  Act,
  ConnectionInterceptor,
  InterceptableConnection,
  InterceptedRequest,
  Interception,
  Interceptor,
  RequestFate,
} from '@local-kafka-service/agent'
import { errorText } from '@local-kafka-service/agent'
import { checkError, checkName, millisecondsOf } from './checked.ts'
import type { FaultLog } from './fault-log.ts'
import type { FaultRequest, FaultVerdict } from './fault-types.ts'
import type { RecordedRequest, RequestRecord } from './request-record.ts'
import { RuleList } from './rule-list.ts'
import type { SeenRequest } from './seen-request.ts'

/** A fixed verdict, or a function of the test. */
export type RequestEffect =
  | { readonly kind: 'verdict'; readonly verdict: FaultVerdict }
  | { readonly kind: 'judge'; readonly judge: (request: FaultRequest) => FaultVerdict | undefined | Promise<FaultVerdict | undefined> }

interface OpenConnection {
  readonly close: (reason: string) => void
  clientId: string | undefined
}

export class RequestFaults implements Interceptor {
  readonly rules: RuleList<FaultRequest, RequestEffect>
  readonly #record: RequestRecord
  readonly #log: FaultLog
  readonly #connections = new Set<OpenConnection>()

  constructor({ record, log, now }: { readonly record: RequestRecord; readonly log: FaultLog; readonly now: () => number }) {
    this.rules = new RuleList(now)
    this.#record = record
    this.#log = log
  }

  opened({ id, close }: InterceptableConnection): ConnectionInterceptor {
    const connection: OpenConnection = { close, clientId: undefined }
    this.#connections.add(connection)
    return {
      request: (asked) => {
        connection.clientId = asked.client.id ?? undefined
        return this.#intercept(asked)
      },
      misunderstood: (said) => {
        connection.clientId = said.client.id ?? connection.clientId
        const who = connection.clientId ?? `connection ${id}`
        if (said.request === undefined) this.#record.reportError(said.atMs, `${who}: ${said.message}; the connection was closed`)
        else this.#record.notServed({ ...said, request: said.request, connectionId: id })
      },
      closed: () => void this.#connections.delete(connection),
    }
  }

  /** At once. Returns the number of connections. */
  disconnect({ clientId }: { readonly clientId?: string }): number {
    const closing = [...this.#connections].filter((connection) => clientId === undefined || connection.clientId === clientId)
    for (const { close } of closing) close('a fault: disconnect')
    return closing.length
  }

  #intercept(asked: InterceptedRequest): Interception {
    const recorded = this.#record.begin(asked)
    const log = this.#log
    const before = log.serviceFaultCount
    return {
      verdict: this.rules.empty ? pass : this.#decide(asked, recorded),
      settled: ({ outcome, response, durationMs }) =>
        recorded.settled({
          outcome,
          response,
          durationMs,
          serviceFault: log.serviceFaultCount > before ? log.lastServiceFault : undefined,
        }),
    }
  }

  async #decide(asked: InterceptedRequest, recorded: RecordedRequest): Promise<RequestFate> {
    const { seen } = recorded
    const { request, end } = faultRequest(asked, seen)
    let waitMs = 0
    let throttleMs = 0
    try {
      for (const ready of this.rules.ready(request)) {
        const verdict = await judged(ready.effect, request)
        if (verdict === undefined) continue
        const checked = verdictOf(verdict)
        ready.apply()
        recorded.touchedBy(ready.words)
        this.#log.add({ at: seen.at, fault: ready.words, struck: struckWords(seen) })
        waitMs += checked.waitMs
        throttleMs = Math.max(throttleMs, checked.throttleMs)
        if (checked.act !== undefined) return { act: checked.act, waitMs, throttleMs }
      }
      return { act: pass.act, waitMs, throttleMs }
    } catch (error) {
      // A function of the test threw. The client gets an answer, and `expectNoErrors` reports the error to the test.
      const message = `a fault of the test threw: ${errorText(error)}`
      this.#record.reportError(seen.at, `${struckWords(seen)}: ${message}`)
      recorded.touchedBy(message)
      return { act: { kind: 'fail', error: 'UNKNOWN_SERVER_ERROR', message } }
    } finally {
      end()
    }
  }
}

const pass = { act: { kind: 'pass' } } as const satisfies RequestFate

function judged(effect: RequestEffect, request: FaultRequest): FaultVerdict | undefined | Promise<FaultVerdict | undefined> {
  return effect.kind === 'verdict' ? effect.verdict : effect.judge(request)
}

const acts: Readonly<Record<NonNullable<FaultVerdict['act']>, Act>> = {
  drop: { kind: 'drop' },
  hang: { kind: 'hang' },
  disconnect: { kind: 'close' },
  duplicate: { kind: 'duplicate' },
  loseAck: { kind: 'lose ack' },
}

/** Throws a UserError for an invalid verdict. */
function verdictOf({ delay, throttle, error, message, act }: FaultVerdict): {
  readonly waitMs: number
  readonly throttleMs: number
  readonly act: Act | undefined
} {
  if (error !== undefined) checkError(error)
  if (act !== undefined) checkName(act, { what: 'act', known: Object.keys(acts) })
  return {
    waitMs: delay === undefined ? 0 : millisecondsOf(delay, 'delay'),
    throttleMs: throttle === undefined ? 0 : millisecondsOf(throttle, 'throttle'),
    act:
      error !== undefined ? { kind: 'fail', error, ...(message !== undefined && { message }) } : act === undefined ? undefined : acts[act],
  }
}

/** `body` is copied on access: the server owns the decoded message and releases it when the request is done. */
function faultRequest(asked: InterceptedRequest, seen: SeenRequest): { readonly request: FaultRequest; readonly end: () => void } {
  let body: object | undefined = asked.body
  let copy: Readonly<Record<string, unknown>> | undefined
  const { at, api, version, clientId, software, connection, groupId, summary } = seen
  return {
    request: {
      at,
      api,
      version,
      clientId,
      software,
      connection,
      topics: asked.topics,
      groupId,
      summary,
      get body() {
        if (body === undefined && copy === undefined) throw new Error('body: the request is already decided; read its body before that')
        copy ??= copied(body) as Readonly<Record<string, unknown>>
        return copy
      },
    },
    end: () => {
      body = undefined
    },
  }
}

function copied(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return Uint8Array.from(value as Uint8Array)
  if (Array.isArray(value)) return value.map(copied)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, copied(inner)]))
}

/** `Produce 7 of billing: orders[0] 3 records`. */
function struckWords({ api, version, clientId, connection, summary }: SeenRequest): string {
  return `${api} ${version} of ${clientId ?? `connection ${connection}`}${summary === '' ? '' : `: ${summary}`}`
}
