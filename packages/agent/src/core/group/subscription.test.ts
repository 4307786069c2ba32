// The subscription that consumers send, well formed and not.
import { expect, test } from 'vitest'
import { subscribedTopics } from './subscription.ts'

/** As the Java consumer of Kafka 4.3 lays out ConsumerProtocolSubscription: version, topics, user data, then what later versions add. */
const [version, topics, rest] = [
  [0, 3],
  [0, 0, 0, 2, 0, 1, 97, 0, 3, 0xe2, 0x82, 0xac],
  [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
]

test('the topics of every version are read, and what follows is not', () => {
  for (const v of [[0, 0], version, [0, 9]]) expect(subscribedTopics(new Uint8Array([...v, ...topics, ...rest]))).toEqual(['a', '€'])
  expect(subscribedTopics(new Uint8Array([0, 0, 0, 0, 0, 0]))).toEqual([])
})

test('bytes inside a larger buffer are read at their place', () => {
  expect(subscribedTopics(new Uint8Array([7, 7, 7, ...version, ...topics]).subarray(3))).toEqual(['a', '€'])
})

test('what is no subscription has no topics: nothing, negative, too short, a count beyond the bytes', () => {
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
