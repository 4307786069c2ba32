// Patterns of topic names on the command line: `orders-*`, or a regular expression between slashes. No topic name contains these characters.
import { errorText } from '@local-kafka-service/agent/native-error'
import { UserError } from 'local-kafka-service/internal/user-error'
import type { ClusterClient } from '../../cluster/cluster-client.ts'
import { clusterState, type TopicState } from '../../cluster/cluster-metadata.ts'

/** For the description of an argument. */
export const orPatterns = ", or patterns such as 'orders-*' and '/^orders-\\d+$/'."

export type ParsedPattern =
  | { readonly kind: 'pattern'; readonly matches: (name: string) => boolean }
  | { readonly kind: 'name' }
  | { readonly kind: 'wrong'; readonly why: string }

/** `*` stands for any characters and `?` for one; `/^a.*z$/` is a regular expression, which may be followed by `i`. */
export function parsePattern(text: string): ParsedPattern {
  const expression = /^\/(.+)\/(i?)$/.exec(text)
  if (expression !== null) {
    const [, source = '', flags = ''] = expression
    try {
      const pattern = new RegExp(source, flags)
      return { kind: 'pattern', matches: (name) => pattern.test(name) }
    } catch (error) {
      return { kind: 'wrong', why: errorText(error) }
    }
  }
  if (!/[*?]/.test(text)) return { kind: 'name' }
  const source = text.replaceAll(/[.*+?^${}()|[\]\\]/g, (sign) => (sign === '*' ? '.*' : sign === '?' ? '.' : `\\${sign}`))
  const pattern = new RegExp(`^${source}$`)
  return { kind: 'pattern', matches: (name) => pattern.test(name) }
}

/** The topics that one of the words names or matches; all topics without words. Throws a UserError for a word that is not valid. */
export function matcherOf(words: readonly string[]): (name: string) => boolean {
  if (words.length === 0) return () => true
  const matchers = words.map((word): ((name: string) => boolean) => {
    const parsed = patternIn(word)
    return parsed.kind === 'pattern' ? parsed.matches : (name) => name === word
  })
  return (name) => matchers.some((matches) => matches(name))
}

/**
 * The names, with each pattern replaced by the topics that match it; every name once. Internal topics do not match. Throws a UserError for a pattern that
 * matches no topic, so that a typing error does not look like success. The cluster is asked only if there is a pattern.
 */
export async function namedTopics(cluster: ClusterClient, words: readonly string[]): Promise<readonly string[]> {
  if (!hasPattern(words)) return [...new Set(words)]
  return topicsMatching((await clusterState(cluster, null)).topics, words)
}

/** Throws a UserError for a word that is not valid. */
export function hasPattern(words: readonly string[]): boolean {
  return words.some((word) => patternIn(word).kind === 'pattern')
}

/** Exported for its test: `namedTopics` among known topics. */
export function topicsMatching(topics: readonly Pick<TopicState, 'name' | 'internal'>[], words: readonly string[]): readonly string[] {
  const names = topics.filter(({ internal }) => !internal).map(({ name }) => name)
  const found = words.flatMap((word) => {
    const parsed = patternIn(word)
    if (parsed.kind !== 'pattern') return [word]
    const matching = names.filter(parsed.matches)
    if (matching.length > 0) return matching
    throw new UserError('LKS-4008', { what: `no topic matches '${word}'`, fix: ['list the topics: lks topic list'] })
  })
  return [...new Set(found)]
}

function patternIn(word: string): Exclude<ParsedPattern, { kind: 'wrong' }> {
  const parsed = parsePattern(word)
  if (parsed.kind !== 'wrong') return parsed
  throw new UserError('LKS-1004', {
    what: `'${word}' is not a valid regular expression`,
    why: parsed.why,
    fix: ["a pattern is written as 'orders-*' or '/^orders-\\d+$/'"],
  })
}
