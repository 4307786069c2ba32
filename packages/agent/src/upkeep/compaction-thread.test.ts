// The thread of log compaction: the same steps with the same results as on the event loop, and an error when it ends early.
import { buildBatch, type CodecName } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { nativeCrc32c, nodeCodecs } from '../codecs.ts'
import type { CompactedRun } from '../core/log/compaction/compacted-segments.ts'
import type { CompactionSource } from '../core/log/compaction/pass-steps.ts'
import { systemClock } from '../time/system-clock.ts'
import { Turns } from '../time/turns.ts'
import { compactionThread } from './compaction-thread.ts'
import { CompactionThreadError, type CompactionWork, workInTurns } from './compaction-work.ts'

const options = { segmentBytes: 300 }
const producer = { id: 7, epoch: 0, baseSequence: 0 }

test('a thread leaves the same bytes and rows as the event loop, round after round', async () => {
  const inTurns = workInTurns({ turns: new Turns(systemClock), crc32c: nativeCrc32c, codecs: nodeCodecs }, options)
  const thread = compactionThread(options)
  for (let round = 0; round < 2; round++) {
    const left = await compacted(thread)
    expect(left).toEqual(await compacted(inTurns))
    expect(left.segments.length).toBeGreaterThan(1)
  }
  await thread.end()
})

test('the memory of the segment is given to the thread', async () => {
  const thread = compactionThread(options)
  await thread.step('beginLearning', { maxBytes: 1_000, maxKeys: 10 })
  const segment = aSegment(0, 'none')
  expect(await thread.step('learn', segment)).toBe(3)
  expect(segment.bytes.length).toBe(0)
  await thread.end()
})

test('the memory of the keys is given back when the work ends', async () => {
  const inTurns = workInTurns({ turns: new Turns(systemClock), crc32c: nativeCrc32c, codecs: nodeCodecs }, options)
  const before = process.memoryUsage().arrayBuffers
  await inTurns.step('beginLearning', { maxBytes: 40_000_000, maxKeys: 1_000_000 })
  expect(process.memoryUsage().arrayBuffers - before).toBeGreaterThan(24_000_000)
  await inTurns.end()
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000)
})

test('a thread that died says nothing about the log', async () => {
  const thread = compactionThread(options, new URL('testing/dying-compaction-worker.ts', import.meta.url))
  const room = { maxBytes: 1_000, maxKeys: 10 }
  await expect(thread.step('beginLearning', room)).rejects.toThrow(new CompactionThreadError('The thread of log compaction ended.'))
  await expect(thread.step('beginLearning', room)).rejects.toThrow(CompactionThreadError)
})

test('an error in a step ends the thread, and says what it was', async () => {
  const thread = compactionThread(options)
  await expect(thread.step('learn', aSegment(0, 'none'))).rejects.toThrow(/^The thread of log compaction failed: .*the keys/)
})

/** The log is one segment for each codec, with the same keys in all of them. */
async function compacted(work: CompactionWork): Promise<CompactedRun> {
  const segments = (): readonly CompactionSource[] => codecs.map((codec, index) => aSegment(index * 3, codec))
  const endOffset = codecs.length * 3
  await work.step('beginLearning', { maxBytes: 100_000, maxKeys: endOffset })
  for (const segment of segments()) expect(await work.step('learn', segment)).toBe(segment.baseOffset + 3)
  await work.step('beginRewriting', {
    endOffset,
    nowMs: 5_000,
    deleteRetentionMs: 100,
    markerRetentionMs: 100,
    producers: [{ producerId: 7, producerEpoch: 0, lastOffset: 2 }],
  })
  for (const segment of segments()) await work.step('compact', segment)
  return await work.step('finishRun', { nextOffset: endOffset })
}

const codecs: readonly CodecName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** A record with a key of its own, one that each later segment supersedes, and a batch of a transaction that was aborted in the first segment. */
function aSegment(baseOffset: number, codec: CodecName): CompactionSource {
  const record = (offsetDelta: number, key: string) => {
    return { offsetDelta, timestamp: 1_000, key: Buffer.from(key), value: Buffer.from(`value ${baseOffset}`), headers: [] }
  }
  const batch = { baseTimestamp: 1_000, compression: { codec, codecs: nodeCodecs } }
  const first = buildBatch({ ...batch, records: [record(0, `own ${baseOffset}`), record(1, 'shared')] }, nativeCrc32c)
  const second = buildBatch({ ...batch, records: [record(0, 'aborted')], attributes: 0x10, producer }, nativeCrc32c)
  const aborted = baseOffset === 0 ? [{ producerId: 7, firstOffset: 2, markerOffset: 3 }] : []
  return { bytes: new Uint8Array([...first, ...second]), baseOffset, aborted }
}
