// Patterns of topic names: which topics a word on the command line means.
import { UserError } from 'local-kafka-service/internal/user-error'
import { expect, test } from 'vitest'
import { hasPattern, matcherOf, topicsMatching } from './topic-pattern.ts'

const topics = ['audit', 'orders', 'orders-1', 'orders-22', 'orders.v1', '__consumer_offsets'].map((name) => ({
  name,
  internal: name.startsWith('__'),
}))

test.each([
  ['orders', ['orders']],
  ['orders-*', ['orders-1', 'orders-22']],
  ['orders-?', ['orders-1']],
  ['*', ['audit', 'orders', 'orders-1', 'orders-22', 'orders.v1']],
  ['orders.*', ['orders.v1']],
  ['/^orders-\\d+$/', ['orders-1', 'orders-22']],
  ['/AUD/i', ['audit']],
  ['/v1/', ['orders.v1']],
])('%s', (word, names) => {
  expect(topicsMatching(topics, [word])).toEqual(names)
})

test('names and patterns can be mixed, and each topic comes once', () => {
  expect(topicsMatching(topics, ['nosuch', 'orders-1', 'orders-*', 'orders-1'])).toEqual(['nosuch', 'orders-1', 'orders-22'])
})

test('a pattern without a match, and an invalid one, are errors', () => {
  expect(() => topicsMatching(topics, ['orders', 'invoices-*'])).toThrow(/no topic matches 'invoices-\*'/)
  expect(() => topicsMatching(topics, ['/(/'])).toThrow(UserError)
  expect(() => hasPattern(['/(/'])).toThrow(/not a valid regular expression/)
})

test('the filter of a list: any of the words, and all topics without words', () => {
  expect(topics.filter(({ name }) => matcherOf(['audit', '__*'])(name)).map(({ name }) => name)).toEqual(['audit', '__consumer_offsets'])
  expect(topics.filter(({ name }) => matcherOf([])(name))).toHaveLength(topics.length)
})
