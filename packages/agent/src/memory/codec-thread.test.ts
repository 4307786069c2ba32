// The thread of the codecs: the same records and errors as in the turn, a thread only while it has work, and another one after it died.
import { setImmediate as turn } from 'node:timers/promises'
import { compress, ProtocolError, UnpackedSizeError } from '@local-kafka-service/protocol'
import { describe, expect, test } from 'vitest'
import { nodeCodecs } from '../codecs.ts'
import { fixedLimits } from '../limits.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { CodecThread } from './codec-thread.ts'
import { CodecThreadError } from './unpacker.ts'

const plain = Buffer.from(Array.from({ length: 5_000 }, (_, at) => `record ${at} of ${(at * 7919) % 1_000};`).join(''))

describe.each(['snappy', 'lz4'] as const)('%s', (codec) => {
  const packed = compress(codec, plain, nodeCodecs)

  test('batches come back as they were, whatever happens to the packed bytes meanwhile', async () => {
    const thread = new CodecThread(new ManualClock())
    const small = compress(codec, Buffer.from('x'), nodeCodecs)
    const bytes = Buffer.from(packed)
    const answers = Promise.all([thread.unpacked(codec, bytes, plain.length), thread.unpacked(codec, small, 1)])
    bytes.fill(0)
    expect((await answers).map((unpacked) => Buffer.from(unpacked))).toEqual([plain, Buffer.from('x')])
  })

  test('records that are too large, and bytes that are not valid, are the errors of the codec', async () => {
    const thread = new CodecThread(new ManualClock())
    await expect(thread.unpacked(codec, packed, plain.length - 1)).rejects.toThrow(UnpackedSizeError)
    const invalid = thread.unpacked(codec, packed.subarray(0, packed.length / 2), plain.length)
    await expect(invalid).rejects.toThrow(ProtocolError)
    await expect(invalid).rejects.not.toThrow(UnpackedSizeError)
  })
})

test('the thread ends when it had no work for a while, and the next batch starts another one', async () => {
  const clock = new ManualClock()
  const thread = new CodecThread(clock)
  expect(thread.isRunning).toBe(false)
  const packed = compress('lz4', plain, nodeCodecs)
  const unpacked = (): Promise<Uint8Array> => thread.unpacked('lz4', packed, plain.length)
  for (let round = 0; round < 2; round++) {
    await unpacked()
    await clock.advance(fixedLimits.codecThreadIdleMs - 1)
    expect(thread.isRunning).toBe(true)
    await unpacked()
    await clock.advance(fixedLimits.codecThreadIdleMs - 1)
    // Work that has begun is not interrupted.
    const last = unpacked()
    await clock.advance(1)
    expect(Buffer.from(await last)).toEqual(plain)
    expect([thread.isRunning, clock.waiting]).toEqual([true, 1])
    await clock.advance(fixedLimits.codecThreadIdleMs)
    expect([thread.isRunning, clock.waiting]).toEqual([false, 0])
  }
})

test('a thread that dies says nothing about the bytes, and another one takes its place', async () => {
  const thread = new CodecThread(new ManualClock(), () => new URL('testing/dying-codec-worker.ts', import.meta.url))
  const packed = compress('snappy', plain, nodeCodecs)
  const dying = Promise.allSettled([thread.unpacked('snappy', new Uint8Array(0), 1), thread.unpacked('snappy', packed, plain.length)])
  for (const outcome of await dying) expect(outcome).toMatchObject({ reason: expect.any(CodecThreadError) })
  await turn()
  expect(Buffer.from(await thread.unpacked('snappy', packed, plain.length))).toEqual(plain)
})
