// The topics that a request names, after a check of the client's rights: every handler of topics starts with this.
import { errors, type KafkaErrorName, type Outcome } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { TopicId } from '../core/ids.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { Services } from '../services.ts'
import type { Operation, RequestScope } from './request-context.ts'

export interface TopicQuery extends RequestScope<Pick<Services, 'turns' | 'topics' | 'gate'>> {
  readonly operation: Operation
}

/**
 * By name; one answer for each distinct name. A topic that the client may not access is rejected before the catalog looks it up. An illegal name is
 * UNKNOWN_TOPIC_OR_PARTITION, as in Kafka, whose requests for records and offsets only look names up; `illegal: 'reported'` keeps INVALID_TOPIC_EXCEPTION.
 */
export async function topicsByName(
  names: readonly string[],
  query: TopicQuery & { readonly autoCreate?: true; readonly illegal?: 'reported' },
): Promise<ReadonlyMap<string, Outcome<Topic>>> {
  const { operation, context, services } = query
  const answers = new Map<string, Outcome<Topic>>()
  const allowed: string[] = []
  const slice = services.turns.slice()
  for (const name of names) {
    if (answers.has(name)) continue
    // Replaced below for the names that are allowed.
    answers.set(name, failure('TOPIC_AUTHORIZATION_FAILED'))
    if (mayTouch(name, operation, { context, services })) allowed.push(name)
    if (slice.spent(1)) await slice.next()
  }
  const found = await services.topics.find(allowed, { autoCreate: query.autoCreate ?? false })
  for (const [index, name] of allowed.entries()) {
    const outcome = must(found[index], 'each name asked for')
    const unknown = outcome.kind === 'error' && outcome.code === errors.INVALID_TOPIC_EXCEPTION.code && query.illegal === undefined
    answers.set(name, unknown ? failure('UNKNOWN_TOPIC_OR_PARTITION') : outcome)
    if (slice.spent(1)) await slice.next()
  }
  return answers
}

/** By id; one answer for each distinct id. The gate decides by name, so the lookup comes first. */
export async function topicsById(topicIds: readonly TopicId[], query: TopicQuery): Promise<ReadonlyMap<TopicId, Outcome<Topic>>> {
  const distinct = [...new Set(topicIds)]
  const found = await query.services.topics.findById(distinct)
  return new Map(
    distinct.map((topicId, index) => {
      const topic = must(found[index], 'each id asked for')
      const allowed = topic.kind === 'error' || mayTouch(topic.value.name, query.operation, query)
      return [topicId, allowed ? topic : failure('TOPIC_AUTHORIZATION_FAILED')]
    }),
  )
}

export function mayTouch(topic: string, operation: Operation, { context, services }: RequestScope<Pick<Services, 'gate'>>): boolean {
  return services.gate.authorize(context, operation, { type: 'TOPIC', name: topic })
}

export function failure(
  error: KafkaErrorName,
  message?: string,
): { readonly kind: 'error'; readonly code: number; readonly message?: string } {
  return { kind: 'error', code: errors[error].code, ...(message !== undefined && { message }) }
}

/** The error of a partition that a request names, 0 if the topic has it. */
export function placeErrorCode(topic: Outcome<Topic>, partition: number): number {
  if (topic.kind === 'error') return topic.code
  return partition >= 0 && partition < topic.value.partitions ? 0 : errors.UNKNOWN_TOPIC_OR_PARTITION.code
}

/** IDEMPOTENCY_KEY_REUSED is ours and has no code in Kafka; only HTTP requests have idempotency keys. */
export function codeOf(error: KafkaErrorName | 'IDEMPOTENCY_KEY_REUSED'): number {
  return error === 'IDEMPOTENCY_KEY_REUSED' ? errors.INVALID_REQUEST.code : errors[error].code
}

/** The values that occur more than once. */
export function duplicatesOf(values: Iterable<string>): ReadonlySet<string> {
  const occurrences = new Occurrences()
  for (const value of values) occurrences.add(value)
  return occurrences.twice
}

/** As `duplicatesOf`, value by value, for very many of them. */
export class Occurrences {
  readonly #seen = new Set<string>()
  readonly #twice = new Set<string>()

  get twice(): ReadonlySet<string> {
    return this.#twice
  }

  add(value: string): void {
    if (this.#seen.has(value)) this.#twice.add(value)
    else this.#seen.add(value)
  }
}

/** Whether a request names the partition of the topic more than once. It allocates no string per partition: there may be very many. */
export function repeatedPartitions(
  topics: Iterable<{ readonly topic: string; readonly partitions: Iterable<number> }>,
): (topic: string, partition: number) => boolean {
  const seen = new Map<string, Set<number>>()
  const twice = new Map<string, Set<number>>()
  for (const { topic, partitions } of topics) {
    const known = seen.get(topic) ?? new Set()
    seen.set(topic, known)
    for (const partition of partitions) {
      if (!known.has(partition)) known.add(partition)
      else twice.set(topic, (twice.get(topic) ?? new Set()).add(partition))
    }
  }
  return (topic, partition) => twice.get(topic)?.has(partition) ?? false
}
