// Every API, version and direction: an encoded message decodes to itself, and other bytes do no harm.
import { inspect } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  apis,
  decodeRequest,
  decodeRequestHeader,
  decodeRequestInSteps,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  encodeResponseInSteps,
  isLarge,
} from '../src/index.ts'
import type { Field, Fields } from '../src/schema/dsl.ts'
import { inVersions } from '../src/schema/versions.ts'
import { arbitraryMessage, defaultOf, versionsOf } from './arbitrary-messages.ts'

describe.each([...apis.values()])('$name', (api) => {
  test.each(versionsOf(api))('version %i: a request that was encoded decodes to itself', (version) => {
    fc.assert(
      fc.property(arbitraryMessage(api.request, version), fc.int16Array({ minLength: 1, maxLength: 1 }), (message, [correlationId = 0]) => {
        const frame = unframe(encodeRequest(api, { version, correlationId, clientId: 'me' }, message))
        const { bodyAt, ...header } = decodeRequestHeader(frame)
        expect(header).toEqual({ apiKey: api.key, apiVersion: version, correlationId, clientId: 'me' })
        expect(plain(decodeRequest(api, version, frame, bodyAt))).toEqual(plain(message))
      }),
      { numRuns: 30 },
    )
  })

  test.each(versionsOf(api))('C1: version %i: a request with 1, 3 or 100 bytes after it is decoded', (version) => {
    fc.assert(
      fc.property(arbitraryMessage(api.request, version), fc.constantFrom(1, 3, 100), fc.nat(255), (message, count, byte) => {
        const frame = unframe(encodeRequest(api, { version, correlationId: 1, clientId: 'me' }, message))
        const longer = new Uint8Array(frame.length + count).fill(byte, frame.length)
        longer.set(frame)
        expect(plain(decodeRequest(api, version, longer, decodeRequestHeader(longer).bodyAt))).toEqual(plain(message))
      }),
      { numRuns: 20 },
    )
  })

  test.each(versionsOf(api))('C17: version %i: an int64 of a request may have its largest value', (version) => {
    for (const extreme of [-(2n ** 63n), 2n ** 63n - 1n]) {
      const message = withMarks(api.request, version)
      const frame = Buffer.from(unframe(encodeRequest(api, { version, correlationId: 1, clientId: 'me' }, message)))
      expect(frame.includes(mark)).toBe(inspect(message, { depth: 9 }).includes(String(marked)))
      for (let at = frame.indexOf(mark); at >= 0; at = frame.indexOf(mark, at)) frame.writeBigInt64BE(extreme, at)
      expect(() => decodeRequest(api, version, frame, decodeRequestHeader(frame).bodyAt)).not.toThrow()
    }
  })

  test.each(versionsOf(api))('version %i: a response that was encoded decodes to itself', (version) => {
    fc.assert(
      fc.property(arbitraryMessage(api.response, version), (message) => {
        const frame = unframe(encodeResponse(api, version, 12, message))
        const { correlationId, response } = decodeResponse(api, version, frame)
        expect(correlationId).toBe(12)
        expect(plain(response)).toEqual(plain(message))
      }),
      { numRuns: 30 },
    )
  })

  test.each(versionsOf(api))('version %i: in steps, the bytes and the messages are the same', (version) => {
    fc.assert(
      fc.property(
        arbitraryMessage(api.request, version),
        arbitraryMessage(api.response, version),
        fc.nat(40),
        (request, response, more) => {
          // The arrays of one depth are long enough to be read in steps.
          const times = { depth: more % 3, count: more }
          const [large, larger] = [repeated(request, times), repeated(response, times)]
          const frame = unframe(encodeRequest(api, { version, correlationId: 1, clientId: 'me' }, large))
          const { bodyAt } = decodeRequestHeader(frame)
          expect(plain(finished(decodeRequestInSteps(api, version, frame, bodyAt)))).toEqual(
            plain(decodeRequest(api, version, frame, bodyAt)),
          )
          const chunks = finished(encodeResponseInSteps(api, version, 12, larger))
          expect(Buffer.concat(chunks)).toEqual(Buffer.concat(encodeResponse(api, version, 12, larger)))
        },
      ),
      { numRuns: 20 },
    )
  })

  test.each(versionsOf(api))('version %i: a message truncated anywhere throws a ProtocolError and nothing else', (version) => {
    fc.assert(
      fc.property(arbitraryMessage(api.request, version), fc.double({ min: 0, max: 0.999, noNaN: true }), (message, share) => {
        const frame = unframe(encodeRequest(api, { version, correlationId: 1, clientId: null }, message))
        const { bodyAt } = decodeRequestHeader(frame)
        const cut = bodyAt + Math.floor((frame.length - bodyAt) * share)
        if (cut === frame.length) return
        for (const decode of [decodeRequest, (...of: Parameters<typeof decodeRequest>) => finished(decodeRequestInSteps(...of))])
          expect(() => decode(api, version, frame.subarray(0, cut), bodyAt)).toThrow(expect.objectContaining({ name: 'ProtocolError' }))
      }),
      { numRuns: 20 },
    )
  })

  test.each(versionsOf(api))('version %i: arbitrary bytes are a request or a ProtocolError', (version) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        try {
          decodeRequest(api, version, bytes, 0)
        } catch (error) {
          expect(error).toMatchObject({ name: 'ProtocolError' })
        }
      }),
      { numRuns: 200 },
    )
  })
})

test('the response header of ApiVersions is version 0 in every version (KIP-511)', () => {
  const api = apis.get(18)
  if (api === undefined) throw new Error('no ApiVersions')
  const frame = unframe(encodeResponse(api, 3, 9, { errorCode: 0, apiKeys: [] }))
  // Correlation id, error code, no keys, throttle time, no tags: nothing between the correlation id and the error code.
  expect([...frame]).toEqual([0, 0, 0, 9, 0, 0, 1, 0, 0, 0, 0, 0])
})

test('a large message has a step for every few hundred elements, whether topics, their partitions or both are many', () => {
  const api = apis.get(3)
  if (api === undefined) throw new Error('no Metadata')
  const partition = { errorCode: 0, partitionIndex: 0, leaderId: 0, replicaNodes: [0], isrNodes: [0], offlineReplicas: [] }
  const topicsOf = (topics: number, partitions: number) => ({
    brokers: [],
    controllerId: 0,
    topics: Array.from({ length: topics }, () => ({
      errorCode: 0,
      name: 't',
      partitions: Array.from({ length: partitions }, () => partition),
    })),
  })
  for (const [topics, partitions] of [
    [1, 60_000],
    [60_000, 0],
    [3_000, 10],
    [100, 300],
  ] as const) {
    const message = topicsOf(topics, partitions)
    expect(isLarge(message)).toBe(true)
    const steps = [...stepsOf(encodeResponseInSteps(api, 9, 1, message))]
    expect(steps.length).toBeGreaterThan(100)
    expect(steps.length).toBeLessThan(500)
  }
  expect(isLarge(topicsOf(5, 30))).toBe(false)
  const names = { topics: Array.from({ length: 60_000 }, (_, at) => ({ name: `topic-${at}` })), allowAutoTopicCreation: false }
  const frame = unframe(encodeRequest(api, { version: 9, correlationId: 1, clientId: null }, names))
  expect([...stepsOf(decodeRequestInSteps(api, 9, frame, decodeRequestHeader(frame).bodyAt))].length).toBe(120)
})

test('long strings count as elements: a response with a few hundred of them has many steps', () => {
  const api = apis.get(15)
  if (api === undefined) throw new Error('no DescribeGroups')
  const group = { errorCode: 0, groupState: 'Dead', protocolType: '', protocolData: '', members: [] }
  const groupsOf = (count: number, characters: number) => ({
    groups: Array.from({ length: count }, () => ({ ...group, groupId: 'g'.repeat(characters) })),
  })
  const message = groupsOf(400, 30_000)
  expect([isLarge(message), isLarge(groupsOf(400, 100))]).toEqual([true, false])
  const steps = stepsOf(encodeResponseInSteps(api, 4, 1, message))
  expect([...steps].length).toBeGreaterThan(50)
  const chunks = encodeResponse(api, 4, 1, message)
  expect(Buffer.concat(finished(encodeResponseInSteps(api, 4, 1, message)))).toEqual(Buffer.concat(chunks))
})

function* stepsOf(steps: Generator<number, unknown>): Generator<number> {
  for (let step = steps.next(); step.done !== true; step = steps.next()) yield step.value
}

function finished<T>(steps: Generator<number, T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** The arrays at this depth again and again. */
function repeated<T>(value: T, times: { readonly depth: number; readonly count: number }): T {
  const again = (of: unknown, depth: number): unknown => {
    if (Array.isArray(of)) {
      const elements = of.map((element) => again(element, depth + 1))
      return depth === times.depth ? [elements, ...Array.from({ length: times.count }, () => elements)].flat() : elements
    }
    if (typeof of !== 'object' || of === null || of instanceof Uint8Array) return of
    return Object.fromEntries(Object.entries(of).map(([name, member]) => [name, again(member, depth)]))
  }
  // The cast: the shape of the value stays as it is.
  return again(value, 0) as T
}

/** A number that marks every int64 in a frame; its bytes do not occur elsewhere. */
const marked = 0x0012_3456_789a_bcde
const mark = Buffer.from('00123456789abcde', 'hex')

/** A message with one element in each array, and the mark in every int64. */
function withMarks(fields: Fields, version: number): object {
  const value = (field: Field): unknown => {
    if (field.type === 'array') return [value(field.of)]
    if (field.type === 'struct') return withMarks(field.fields, version)
    return field.type === 'int64' ? marked : field.type === 'big64' ? BigInt(marked) : (defaultOf(field) ?? '')
  }
  const present = Object.entries(fields).filter(([, field]) => inVersions(field.versions, version) && field.type !== 'records')
  return Object.fromEntries(present.map(([name, field]) => [name, value(field)]))
}

function unframe(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = Buffer.concat(chunks)
  expect(whole.readInt32BE(0)).toBe(whole.length - 4)
  return whole.subarray(4)
}

/** Treats Buffers and Uint8Arrays of the same bytes as equal. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value]
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]))
  return Object.is(value, -0) ? 0 : value
}
