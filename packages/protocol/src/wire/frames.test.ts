// The splitter returns the frames that were sent, however the stream was cut, and takes little memory for bytes that have not arrived.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type FrameMemory, FrameSplitter } from './frames.ts'
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

/** Memory that is overwritten when it is released, and knows what is held. */
function aMemory(): FrameMemory & { readonly held: Set<Uint8Array>; readonly sizes: number[] } {
  const held = new Set<Uint8Array>()
  const sizes: number[] = []
  return {
    held,
    sizes,
    allocate(sizeBytes) {
      const memory = new Uint8Array(sizeBytes + 7).fill(0xaa)
      held.add(memory)
      sizes.push(sizeBytes)
      return memory
    },
    release(memory) {
      if (!held.delete(memory)) throw new Error('it is not held')
      memory.fill(0xdb)
    },
  }
}

test('frames are right although each chunk is overwritten after its push and released memory is used again', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }),
      fc.array(fc.boolean(), { minLength: 1 }),
      (bodies, cuts, takes) => {
        const memory = aMemory()
        const splitter = new FrameSplitter({ maxBytes: 3000, memory })
        const stream = framed(bodies)
        const taken: number[][] = []
        const take = (): boolean => {
          const frame = splitter.take()
          if (frame === undefined) return false
          taken.push([...frame])
          for (const held of memory.held) if (held.buffer === frame.buffer) memory.release(held)
          return true
        }
        for (let at = 0, cut = 0; at < stream.length; cut += 1) {
          const chunk = stream.slice(at, at + (cuts[cut % cuts.length] ?? 1))
          splitter.push(chunk)
          at += chunk.length
          chunk.fill(0xdb)
          // The frames wait while a request is handled.
          if (takes[cut % takes.length] === true) take()
        }
        while (take());
        expect(taken).toEqual(bodies.map((body) => [...body]))
        expect([splitter.bufferedBytes, memory.held.size]).toEqual([0, 0])
      },
    ),
  )
})

test('the size is known before the body, and the memory is at most twice what has arrived', () => {
  const memory = aMemory()
  const splitter = new FrameSplitter({ maxBytes: 10_000, memory })
  const stream = framed([new Uint8Array(9000)])
  splitter.push(stream.subarray(0, 4))
  expect([splitter.size(), splitter.take(), memory.sizes]).toEqual([9000, undefined, []])
  splitter.push(stream.subarray(4, 104))
  expect([splitter.bodyBytes, memory.sizes]).toEqual([100, [1024]])
  splitter.push(stream.subarray(104, 3004))
  expect([splitter.bodyBytes, splitter.take(), memory.sizes, memory.held.size]).toEqual([3000, undefined, [1024, 6000], 1])
  splitter.push(stream.subarray(3004))
  expect(splitter.take()).toHaveLength(9000)
  expect(memory.sizes).toEqual([1024, 6000, 9000])
})

test('a frame that arrives at once gets memory of its size', () => {
  const memory = aMemory()
  const splitter = new FrameSplitter({ maxBytes: 10_000, memory })
  splitter.push(framed([new Uint8Array(9000)]))
  expect([splitter.take()?.length, memory.sizes]).toEqual([9000, [9000]])
})

test('H4: a frame that arrives in single bytes takes few allocations', () => {
  const memory = aMemory()
  const splitter = new FrameSplitter({ maxBytes: 100_000, memory })
  const stream = framed([Uint8Array.from({ length: 50_000 }, (_, index) => index)])
  for (const byte of stream) splitter.push(Uint8Array.of(byte))
  expect(splitter.take()).toEqual(stream.subarray(4))
  expect(memory.sizes.length).toBeLessThan(10)
})

test('what was not taken is released at the end', () => {
  const memory = aMemory()
  const splitter = new FrameSplitter({ maxBytes, memory })
  splitter.push(framed([new Uint8Array(900), new Uint8Array(900)]).subarray(0, 1500))
  expect(memory.held.size).toBe(2)
  splitter.clear()
  expect([memory.held.size, splitter.bufferedBytes]).toEqual([0, 0])
})

test('nothing is kept of what follows a frame that is rejected', () => {
  const memory = aMemory()
  const splitter = new FrameSplitter({ maxBytes, memory })
  splitter.push(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 2, 3))
  splitter.push(new Uint8Array(5000))
  expect(() => splitter.size()).toThrow(ProtocolError)
  expect(memory.held.size).toBe(0)
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
