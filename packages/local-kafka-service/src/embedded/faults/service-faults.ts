// Faults of the FileStorage Service and the Metadata Service: turns the requested faults into rules for the interceptors of the object store and the metadata database.
import type {
  InterceptedRun,
  InterceptedStoreRequest,
  RunFate,
  SqlInterceptor,
  StoreFate,
  StoreInterceptor,
} from '@local-kafka-service/agent'
import { errorText } from '@local-kafka-service/agent'
import { checkName, checkOptions, millisecondsOf } from './checked.ts'
import type { FaultLog } from './fault-log.ts'
import type {
  BelowOptions,
  Duration,
  Fault,
  MetadataFaults,
  MetadataRequest,
  StoreErrorKind,
  StoreFaults,
  StoreOperation,
  StoreRequest,
} from './fault-types.ts'
import { type MetadataVerb, metadataVerbs } from './metadata-verbs.ts'
import { type RuleLimits, RuleList } from './rule-list.ts'
import { durationWords, optionWords } from './words.ts'

export interface ServiceFaults<Seen, Fate, Asked> {
  readonly rules: RuleList<Seen, Fate>
  readonly intercept: (seen: Seen) => Fate
  readonly faults: Asked
}

interface ServiceFaultParts {
  readonly log: FaultLog
  /** On the server's monotonic clock. */
  readonly now: () => number
  /** Called when a function of the test threw while a fault was matched. */
  readonly onThrown: (at: number, words: string) => void
}

const operations: readonly StoreOperation[] = ['put', 'read', 'list', 'remove']
const errorKinds: readonly StoreErrorKind[] = ['throttled', 'unavailable', 'timeout', 'denied', 'full', 'missing', 'corrupt']

export function storeFaults(parts: ServiceFaultParts): ServiceFaults<InterceptedStoreRequest, StoreFate, StoreFaults> {
  const rules = new RuleList<InterceptedStoreRequest, StoreFate>(parts.now)
  const add = (what: string, operation: StoreOperation | undefined, effect: StoreFate, options: BelowOptions<StoreRequest> = {}): Fault => {
    checkOptions(options, 'service')
    if (operation !== undefined) checkName(operation, { what: 'operation', known: operations })
    const fits = (seen: InterceptedStoreRequest): boolean =>
      (operation === undefined || seen.operation === operation) && (options.when?.({ operation: seen.operation, key: seen.key }) ?? true)
    return rules.add({ words: `store: ${what}${optionWords(options)}`, fits, effect }, limitsOf(options, parts))
  }
  const intercept: StoreInterceptor = (seen) => applied(rules, seen, parts, `${seen.operation} ${seen.key}`)
  return {
    rules,
    intercept,
    faults: {
      fail(operation, kind, options) {
        checkName(kind, { what: 'kind of error', known: errorKinds })
        return add(`fail ${operation} ${kind}`, operation, { act: { kind: 'fail', error: kind } }, options)
      },
      delay(operation, duration, options) {
        const waitMs = millisecondsOf(duration, 'delay')
        return add(`delay ${operation} ${durationWords(duration)}`, operation, { act: pass, waitMs }, options)
      },
      loseReply(operation, options) {
        checkName(operation, { what: 'operation whose reply can be lost', known: ['put', 'remove'] })
        return add(`loseReply ${operation}`, operation, { act: { kind: 'lose reply' } }, options)
      },
      disconnect: (duration) => add('disconnect', undefined, { act: { kind: 'fail', error: 'unavailable' } }, lasting(duration)),
    },
  }
}

export function metadataFaults(parts: ServiceFaultParts): ServiceFaults<InterceptedRun, RunFate, MetadataFaults> {
  const rules = new RuleList<InterceptedRun, RunFate>(parts.now)
  const add = (what: string, verb: string | undefined, effect: RunFate, options: BelowOptions<MetadataRequest> = {}): Fault => {
    checkOptions(options, 'service')
    const fits = (seen: InterceptedRun): boolean =>
      (verb === undefined || seen.transaction === verb) && (options.when?.({ verb: verbOf(seen.transaction) }) ?? true)
    return rules.add({ words: `metadata: ${what}${optionWords(options)}`, fits, effect }, limitsOf(options, parts))
  }
  const intercept: SqlInterceptor = (seen) => applied(rules, seen, parts, seen.transaction)
  return {
    rules,
    intercept,
    faults: {
      delay(duration, options) {
        const waitMs = millisecondsOf(duration, 'delay')
        return add(`delay ${durationWords(duration)}`, undefined, { act: pass, waitMs }, options)
      },
      loseReply(verb, options) {
        if (verb !== undefined) checkName(verb, { what: 'verb', known: metadataVerbs })
        return add(`loseReply${verb === undefined ? '' : ` ${verb}`}`, verb, { act: { kind: 'lose reply' } }, options)
      },
      disconnect: (duration) => add('disconnect', undefined, { act: { kind: 'unreachable' } }, lasting(duration)),
    },
  }
}

/** Each transaction has a verb; the unit test of the verbs holds this. */
function verbOf(name: string): MetadataVerb {
  const known = metadataVerbs.find((verb) => verb === name)
  if (known === undefined) throw new RangeError(`${name} is a transaction without a public verb`)
  return known
}

const pass = { kind: 'pass' } as const

/** Delays add up; the first fault that decides the request wins. */
function applied<Seen extends { readonly atMs: number }, Act extends { readonly kind: string }>(
  rules: RuleList<Seen, { readonly act: Act | typeof pass; readonly waitMs?: number }>,
  seen: Seen,
  { log, onThrown }: ServiceFaultParts,
  words: string,
): { readonly act: Act | typeof pass; readonly waitMs: number } {
  let waitMs = 0
  if (rules.empty) return { act: pass, waitMs }
  try {
    for (const ready of rules.ready(seen)) {
      ready.apply()
      log.addServiceFault({ at: seen.atMs, fault: ready.words, struck: words })
      const { act } = ready.effect
      waitMs += ready.effect.waitMs ?? 0
      if (act.kind !== 'pass') return { act, waitMs }
    }
  } catch (error) {
    // Only the test's own function can throw here. The request continues; the test gets the error from `expectNoErrors`.
    onThrown(seen.atMs, `${words}: a fault of the test threw: ${errorText(error)}`)
  }
  return { act: pass, waitMs }
}

function lasting(duration: Duration | undefined): { readonly for?: Duration } {
  return duration === undefined ? {} : { for: duration }
}

function limitsOf(options: Pick<BelowOptions<never>, 'times' | 'rate' | 'seed' | 'for'>, { now }: ServiceFaultParts): RuleLimits {
  const { times, rate, seed } = options
  return { times, rate, seed, ...(options.for !== undefined && { untilMs: now() + millisecondsOf(options.for, 'for') }) }
}
