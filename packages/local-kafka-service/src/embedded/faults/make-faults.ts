// Joins `kafka.faults` and the record of requests: turns the faults of a test into rules of the interceptor.
import type { Clock, Interceptors } from '@local-kafka-service/agent'
import { checkError, checkName, checkOptions, millisecondsOf } from './checked.ts'
import { FaultLog } from './fault-log.ts'
import type { Fault, FaultOptions, FaultRequest, Faults, FaultVerdict } from './fault-types.ts'
import { apiNames } from './kafka-names.ts'
import { RequestFaults } from './request-faults.ts'
import { RequestRecord } from './request-record.ts'
import { metadataFaults, storeFaults } from './service-faults.ts'
import { durationWords, optionWords } from './words.ts'

export interface EmbeddedFaults {
  readonly faults: Faults
  readonly record: RequestRecord
  /** The interceptors for the server's parts. */
  readonly interceptors: Interceptors
  /** Clears the recorded requests and fault applications; active faults stay. */
  readonly forget: () => void
  /** Called when the server has its clock, which measures the durations of faults. */
  readonly useClock: (clock: Pick<Clock, 'monotonic'>) => void
}

export function embeddedFaults(): EmbeddedFaults {
  let clock: Pick<Clock, 'monotonic'> | undefined
  const now = (): number => clock?.monotonic() ?? 0
  const record = new RequestRecord()
  const log = new FaultLog()
  const requests = new RequestFaults({ record, log, now })
  const parts = { log, now, onThrown: (at: number, words: string) => record.reportError(at, words) }
  const store = storeFaults(parts)
  const metadata = metadataFaults(parts)
  const lists = [requests.rules, store.rules, metadata.rules]
  return {
    record,
    interceptors: { requests, store: store.intercept, metadata: metadata.intercept },
    forget() {
      record.forget()
      log.clear()
    },
    useClock(given) {
      clock = given
    },
    faults: {
      ...requestFaults(requests),
      store: store.faults,
      metadata: metadata.faults,
      list: () => lists.flatMap(({ faults }) => faults),
      seen: () => log.list,
      clear() {
        for (const rules of lists) rules.clear()
      },
    },
  }
}

type OfRequests = Pick<Faults, 'fail' | 'delay' | 'drop' | 'hang' | 'disconnect' | 'duplicate' | 'loseAck' | 'throttle' | 'on'>

function requestFaults(requests: RequestFaults): OfRequests {
  const fixed = (what: string, api: string | undefined, verdict: FaultVerdict, options: FaultOptions = {}): Fault => {
    if (api !== undefined) checkName(api, { what: 'API', known: apiNames })
    return add(requests, { what, api, options, effect: { kind: 'verdict', verdict } })
  }
  function disconnect(api: string, options?: FaultOptions): Fault
  function disconnect(options?: { readonly clientId?: string }): number
  function disconnect(given: string | { readonly clientId?: string } = {}, options: FaultOptions = {}): Fault | number {
    if (typeof given === 'string') return fixed(`disconnect ${given}`, given, { act: 'disconnect' }, options)
    for (const name of Object.keys(given)) checkName(name, { what: 'option', known: ['clientId'] })
    return requests.disconnect(given)
  }
  return {
    fail(api, error, options) {
      checkError(error)
      return fixed(`fail ${api} ${error}`, api, { error }, options)
    },
    delay(api, duration, options) {
      const delay = millisecondsOf(duration, 'delay')
      return fixed(`delay ${api} ${durationWords(duration)}`, api, { delay }, options)
    },
    drop: (api, options) => fixed(`drop ${api}`, api, { act: 'drop' }, options),
    hang: (api, options) => fixed(`hang ${api}`, api, { act: 'hang' }, options),
    disconnect,
    duplicate: (api, options) => fixed(`duplicate ${api}`, api, { act: 'duplicate' }, options),
    loseAck: (api, options) => fixed(`loseAck ${api}`, api, { act: 'loseAck' }, options),
    throttle(duration, { api, ...options } = {}) {
      const throttle = millisecondsOf(duration, 'throttle')
      return fixed(`throttle ${api === undefined ? '' : `${api} `}${durationWords(duration)}`, api, { throttle }, options)
    },
    on(api, judge, options = {}) {
      if (api !== '*') checkName(api, { what: 'API', known: apiNames })
      return add(requests, { what: `on ${api}`, api: api === '*' ? undefined : api, options, effect: { kind: 'judge', judge } })
    },
  }
}

interface RequestFault {
  readonly what: string
  /** Undefined: any API. */
  readonly api: string | undefined
  readonly options: FaultOptions
  readonly effect: Parameters<RequestFaults['rules']['add']>[0]['effect']
}

function add(requests: RequestFaults, { what, api, options, effect }: RequestFault): Fault {
  checkOptions(options, 'request')
  const { topic, clientId, group, when } = options
  const fits = (request: FaultRequest): boolean =>
    (api === undefined || request.api === api) &&
    (topic === undefined || request.topics.includes(topic)) &&
    (clientId === undefined || request.clientId === clientId) &&
    (group === undefined || request.groupId === group) &&
    (when?.(request) ?? true)
  return requests.rules.add({ words: `${what}${optionWords(options)}`, fits, effect }, options)
}
