// The splitter returns the frames that were sent, however the stream was cut, and allocates nothing for bytes that have not arrived.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameSplitter } from './frames.ts'
import { ProtocolError } from './protocol-error.ts'

const maxBytes = 1000

function framed(bodies: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(bodies.reduce((sum, body) => sum + 4 + body.length, 0))
  let at = 0
  for (const body of bodies) {
    new DataView(whole.buffer).setInt32(at, body.length)
    whole.set(body, at + 4)
    at += 4 + body.length
  }
  return whole
}

test('the splitter returns the frames that were sent, however the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (bodies, cuts) => {
      const splitter = new FrameSplitter({ maxBytes })
      const stream = framed(bodies)
      const taken: Uint8Array[] = []
      for (let at = 0, cut = 0; at < stream.length; cut += 1) {
        const size = cuts[cut % cuts.length] ?? 1
        splitter.push(stream.slice(at, at + size))
        at += size
        for (let frame = splitter.take(); frame !== undefined; frame = splitter.take()) taken.push(frame)
      }
      expect(taken.map((frame) => [...frame])).toEqual(bodies.map((body) => [...body]))
      expect(splitter.bufferedBytes).toBe(0)
    }),
  )
})

test('the size is known before the body, and memory is allocated only once the body has arrived', () => {
  const allocated: number[] = []
  const splitter = new FrameSplitter({
    maxBytes,
    allocate: (sizeBytes) => {
      allocated.push(sizeBytes)
      return new Uint8Array(sizeBytes)
    },
  })
  const stream = framed([new Uint8Array(900)])
  splitter.push(stream.subarray(0, 4))
  expect(splitter.size()).toBe(900)
  expect(splitter.take()).toBeUndefined()
  splitter.push(stream.subarray(4, 500))
  expect(splitter.bodyBytes).toBe(496)
  expect(splitter.take()).toBeUndefined()
  expect(allocated).toEqual([])
  splitter.push(stream.subarray(500))
  expect(splitter.take()).toHaveLength(900)
  expect(allocated).toEqual([900])
})

test('H4: a frame that arrives in single bytes is kept in few chunks', () => {
  const splitter = new FrameSplitter({ maxBytes: 100_000 })
  const stream = framed([Uint8Array.from({ length: 50_000 }, (_, index) => index)])
  for (const byte of stream.subarray(0, -1)) splitter.push(Uint8Array.of(byte))
  expect(splitter.chunkCount).toBeLessThan(100)
  splitter.push(stream.subarray(-1))
  expect(splitter.take()).toEqual(stream.subarray(4))
})

test.each([-1, -0x8000_0000, maxBytes + 1, 0x7fff_ffff])('a size of %d is rejected', (claimed) => {
  const splitter = new FrameSplitter({ maxBytes })
  const prefix = new Uint8Array(4)
  new DataView(prefix.buffer).setInt32(0, claimed)
  splitter.push(prefix)
  expect(() => splitter.size()).toThrow(ProtocolError)
})

test.each([
  ['GET / HTTP/1.1\r\n', '; it begins as HTTP does'],
  ['POST /topics HTTP/1.1\r\n', '; it begins as HTTP does'],
  ['\u0016\u0003\u0001\u0002\u0000\u0001', '; it begins as TLS does'],
  ['\u007fELF', ''],
])('the error for %j names the protocol that the bytes look like', (text, likeness) => {
  const splitter = new FrameSplitter({ maxBytes })
  splitter.push(new TextEncoder().encode(text))
  const { message } = caught(() => splitter.size())
  expect(message.replace(/^a frame claims \d+ bytes, more than 1000/, '')).toBe(likeness)
})

function caught(work: () => unknown): Error {
  try {
    work()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('nothing was thrown')
}
