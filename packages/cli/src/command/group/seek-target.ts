// The target of a seek, as --to names it: start, end, @TIME, an offset, or a number of records forward or back.
import { UserError } from 'local-kafka-service/internal/user-error'
import { parseInstant } from '../instants.ts'

export type SeekTarget =
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  /** Milliseconds since 1970: the first record that is not older, otherwise the end. */
  | { readonly kind: 'time'; readonly timestamp: number }
  | { readonly kind: 'offset'; readonly offset: number }
  /** Relative to the committed offset. */
  | { readonly kind: 'by'; readonly by: number }

/** `now`: milliseconds since 1970. Returns a text that says what is wrong. */
export function seekTarget(text: string, now: number): SeekTarget | string {
  if (text === 'start' || text === 'end') return { kind: text }
  if (text === 'current') return { kind: 'by', by: 0 }
  if (text.startsWith('@')) {
    const time = parseInstant(text.slice(1), { baseMs: now })
    return time.kind === 'instant' ? { kind: 'time', timestamp: time.ms } : `does not contain a valid time: ${time.why}`
  }
  if (/^[+-]\d{1,15}$/.test(text)) return { kind: 'by', by: Number(text) }
  if (/^\d{1,15}$/.test(text)) return { kind: 'offset', offset: Number(text) }
  return 'is not one of start, end, current, @TIME, OFFSET, -N, +N'
}

/** Undefined: there is no committed offset to count from. `time`: the offset found for the time; -1 if there is none. */
export function wantedOffset(
  target: SeekTarget,
  at: { readonly start: number; readonly end: number; readonly committed: number | undefined; readonly time: number | undefined },
): number | undefined {
  const within = (offset: number): number => Math.min(Math.max(offset, at.start), at.end)
  switch (target.kind) {
    case 'start':
      return at.start
    case 'end':
      return at.end
    case 'time':
      return at.time === undefined || at.time < 0 ? at.end : within(at.time)
    case 'offset':
      return within(target.offset)
    case 'by':
      return at.committed === undefined ? undefined : within(at.committed + target.by)
  }
}

export interface TopicScope {
  readonly topic: string
  /** Undefined: all. */
  readonly partitions: readonly number[] | undefined
}

/** Parses the value of --topics: `orders,invoices:0-2`. Throws a UserError. */
export function topicScopes(text: string): readonly TopicScope[] {
  // A comma separates partitions as well as topics: after a colon, an item that begins with a digit belongs to the topic before it.
  return text.split(/,(?!\d+(?:-\d+)?(?:,|$))/).map((part) => {
    const scope = topicScope(part.trim())
    if (typeof scope === 'string')
      throw new UserError('LKS-1004', { what: `--topics: ${scope}`, fix: ['as in: --topics orders,invoices:0-2'] })
    return scope
  })
}

/** Parses `orders` or `orders:0,2-4`; returns a text that says what is wrong. */
export function topicScope(text: string): TopicScope | string {
  const [, topic = '', list] = /^([^:]+)(?::([\d,-]+))?$/.exec(text) ?? []
  if (topic === '') return `'${text}' does not name a topic, as in orders or orders:0-2`
  if (list === undefined) return { topic, partitions: undefined }
  const partitions: number[] = []
  for (const part of list.split(',')) {
    const [, first = '', last = first] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part) ?? []
    if (first === '' || Number(last) < Number(first)) return `'${text}' does not name valid partitions, as in orders:0-2`
    for (let partition = Number(first); partition <= Number(last); partition++) partitions.push(partition)
  }
  return { topic, partitions: [...new Set(partitions)].toSorted((a, b) => a - b) }
}
