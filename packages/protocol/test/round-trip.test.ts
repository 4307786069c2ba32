// Every API, version and direction: what was encoded decodes to itself, and nothing else does harm.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { apis, decodeRequest, decodeRequestHeader, decodeResponse, encodeRequest, encodeResponse } from '../src/index.ts'
import { arbitraryMessage, versionsOf } from './arbitrary-messages.ts'

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

  test.each(versionsOf(api))('version %i: bytes cut off anywhere are refused, and nothing else is thrown', (version) => {
    fc.assert(
      fc.property(arbitraryMessage(api.request, version), fc.double({ min: 0, max: 0.999, noNaN: true }), (message, share) => {
        const frame = unframe(encodeRequest(api, { version, correlationId: 1, clientId: null }, message))
        const { bodyAt } = decodeRequestHeader(frame)
        const cut = bodyAt + Math.floor((frame.length - bodyAt) * share)
        if (cut === frame.length) return
        expect(() => decodeRequest(api, version, frame.subarray(0, cut), bodyAt)).toThrow(
          expect.objectContaining({ name: 'ProtocolError' }),
        )
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

function unframe(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = Buffer.concat(chunks)
  expect(whole.readInt32BE(0)).toBe(whole.length - 4)
  return whole.subarray(4)
}

/** Buffers and Uint8Arrays of the same bytes are the same here. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value]
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]))
  return Object.is(value, -0) ? 0 : value
}
