// Small records are unpacked at once, large ones elsewhere, and all of them hold no more memory than the limit.
import { createZstdCompress, gzipSync } from 'node:zlib'
import { type CodecName, codecNames, compress, ProtocolError, UnpackedSizeError } from '@local-kafka-service/protocol'
import { describe, expect, test } from 'vitest'
import { nodeCodecs, remoteCodecs as remoteCodecsOn } from '../codecs.ts'
import { must } from '../core/assert.ts'
import { fixedLimits } from '../limits.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { CodecThread } from './codec-thread.ts'
import { NoUnpackMemory, type RemoteCodecs, Unpacker } from './unpacker.ts'

const remoteCodecs = remoteCodecsOn(new CodecThread(new ManualClock()))
const never = new AbortController().signal

function anUnpacker({ remote = remoteCodecs, unpackedBytes = 128 * 1024 * 1024 }: { remote?: RemoteCodecs; unpackedBytes?: number } = {}) {
  const clock = new ManualClock()
  const calls: number[] = []
  const counted = (name: CodecName): RemoteCodecs[CodecName] => {
    const codec = remote[name]
    return codec && ((bytes, maxBytes) => (calls.push(maxBytes), codec(bytes, maxBytes)))
  }
  const counting: RemoteCodecs = Object.fromEntries(codecNames.flatMap((name) => (remote[name] ? [[name, counted(name)]] : [])))
  return { unpacker: new Unpacker({ codecs: nodeCodecs, remoteCodecs: counting, clock, limits: { unpackedBytes } }), calls, clock }
}

/** Not too regular, so that every codec keeps a part of it. */
function json(sizeBytes: number): Buffer {
  const lines: string[] = []
  for (let at = 0, length = 0; length < sizeBytes; at++) {
    const line = JSON.stringify({ id: at, name: `user ${(at * 7919) % 1_000}`, at: 1_700_000_000_000 + at * 13 })
    lines.push(line)
    length += line.length
  }
  return Buffer.from(lines.join('')).subarray(0, sizeBytes)
}

/** As Java's streams compress: the size is not known when the frame begins. */
async function zstdWithoutSize(plain: Uint8Array): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  // The cast: a stream without an encoding gives bytes.
  for await (const chunk of createZstdCompress().end(plain)) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const packedAs = (codec: CodecName, plain: Uint8Array) => ({ codec, packed: compress(codec, plain, nodeCodecs) })

describe.each(codecNames)('records packed as %s', (codec) => {
  test('are unpacked in the turn if they are small, and are the same if they are large', async () => {
    const { unpacker, calls } = anUnpacker()
    expect(Buffer.from(unpacker.inTurn(packedAs(codec, json(1_000))) ?? [])).toEqual(json(1_000))
    expect(calls).toEqual([])
    const large = packedAs(codec, json(2_000_000))
    expect(unpacker.inTurn(large)).toBeUndefined()
    // A view of the memory of all, as the records of one batch are.
    expect(await unpacker.use(large, never, (unpacked) => Buffer.from(unpacked))).toEqual(json(2_000_000))
    expect(calls.length > 0).toBe(codec !== 'none')
    expect(unpacker.gauge.usedBytes).toBe(0)
  })
})

test('records that are more than they declare are unpacked all the same, up to the limit of a batch', async () => {
  const { unpacker, calls } = anUnpacker()
  const size = ({ length }: Uint8Array): number => length
  // Only the size of the last member is known.
  const members = { codec: 'gzip', packed: Buffer.concat([gzipSync(json(100_000)), gzipSync(json(10))]) } as const
  expect(unpacker.inTurn(members)).toBeUndefined()
  expect(await unpacker.use(members, never, size)).toBe(100_010)
  expect(calls).toEqual([10, fixedLimits.decompressedBytes])
  const withoutSize = { codec: 'zstd', packed: await zstdWithoutSize(Buffer.alloc(5_000_000)) } as const
  expect(await unpacker.use(withoutSize, never, size)).toBe(5_000_000)
  const tooLarge = packedAs('gzip', new Uint8Array(fixedLimits.decompressedBytes + 1))
  await expect(unpacker.use(tooLarge, never, size)).rejects.toThrow(UnpackedSizeError)
  const damaged = { codec: 'gzip', packed: packedAs('gzip', json(100_000)).packed.fill(0, 20) } as const
  await expect(unpacker.use(damaged, never, size)).rejects.toThrow(ProtocolError)
  expect(unpacker.gauge.usedBytes).toBe(0)
})

test('unpacked records wait for each other while they are more than the limit, and give up after a time', async () => {
  const held = Promise.withResolvers<void>()
  const { unpacker, clock } = anUnpacker({ unpackedBytes: 150_000 })
  const records = packedAs('gzip', json(100_000))
  const first = unpacker.use(records, never, () => held.promise)
  const second = unpacker.use(records, never, ({ length }) => length)
  const third = unpacker.use(records, never, ({ length }) => length)
  expect(clock.waiting).toBe(2)
  expect(unpacker.gauge).toEqual({ usedBytes: 100_000, limitBytes: 150_000 })
  const late = Promise.allSettled([second, third])
  await clock.advance(fixedLimits.unpackWaitMs)
  for (const outcome of await late) expect(outcome).toMatchObject({ reason: new NoUnpackMemory() })
  const fourth = unpacker.use(records, never, ({ length }) => length)
  held.resolve()
  await first
  expect(await fourth).toBe(100_000)
  expect(unpacker.gauge.usedBytes).toBe(0)
})

test('at most two batches are unpacked at a time', async () => {
  let running = 0
  let most = 0
  const remote: RemoteCodecs = {
    async gzip(bytes, maxBytes) {
      most = Math.max(most, (running += 1))
      const unpacked = await must(remoteCodecs.gzip, 'a codec')(bytes, maxBytes)
      running -= 1
      return unpacked
    },
  }
  const { unpacker } = anUnpacker({ remote })
  const records = packedAs('gzip', json(100_000))
  await Promise.all(Array.from({ length: 10 }, () => unpacker.use(records, never, () => {})))
  expect(most).toBe(fixedLimits.unpackingsAtATime)
})
