// The subscriptions that consumers send, valid and invalid.
import { expect, test } from 'vitest'
import { subscribedTopics } from './subscription.ts'

/** The layout of ConsumerProtocolSubscription in the Java consumer of Kafka 4.3: version, topics, user data, then the fields of later versions. */
const [version, topics, rest] = [
  [0, 3],
  [0, 0, 0, 2, 0, 1, 97, 0, 3, 0xe2, 0x82, 0xac],
  [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
]

test('the topics of every version are read, and the bytes after them are ignored', () => {
  for (const v of [[0, 0], version, [0, 9]]) expect(subscribedTopics(new Uint8Array([...v, ...topics, ...rest]))).toEqual(['a', '€'])
  expect(subscribedTopics(new Uint8Array([0, 0, 0, 0, 0, 0]))).toEqual([])
})

test('a subscription inside a larger buffer is read at its offset', () => {
  expect(subscribedTopics(new Uint8Array([7, 7, 7, ...version, ...topics]).subarray(3))).toEqual(['a', '€'])
})

test('an invalid subscription has no topics: empty, negative, too short, a count beyond the bytes', () => {
  const whole = [...version, ...topics]
  for (let length = 0; length < whole.length; length++) expect(subscribedTopics(new Uint8Array(whole.slice(0, length)))).toBeUndefined()
  for (const bad of [
    [0xff, 0xff, ...topics],
    [0, 0, 0xff, 0xff, 0xff, 0xff],
    [0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 1, 97],
    [0, 0, 0, 0, 0, 1, 0xff, 0xff],
  ]) {
    expect(subscribedTopics(new Uint8Array(bad))).toBeUndefined()
  }
})
