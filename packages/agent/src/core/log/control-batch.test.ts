// The bytes of markers: those that Apache Kafka 4.3.1 wrote, read from the log of its broker.
import { checkBatch, crc32c, readRecords } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { nodeCodecs } from '../../codecs.ts'
import { controlBatch } from './control-batch.ts'

/** The markers of a producer of kafka-producer-perf-test 4.3.1, with the transactional id `perf`. */
const fromKafka = [
  {
    bytes:
      '0000000000000001000000420000000002737c0d5f003000000000000001a22716ce86000001a22716ce8600000000000000000001ffffffff000000012000000008000000010c00000000000000',
    producerEpoch: 1,
    offset: 1,
    timestamp: 0x1a22716ce86,
  },
  {
    bytes:
      '00000000000000050000004200000000027d8c6995003000000000000001a22716d05d000001a22716d05d00000000000000000002ffffffff000000012000000008000000010c00000000000000',
    producerEpoch: 2,
    offset: 5,
    timestamp: 0x1a22716d05d,
  },
]

test('a commit has the bytes that Kafka writes', () => {
  for (const { bytes, producerEpoch, offset, timestamp } of fromKafka) {
    const marker = { producerId: 0, producerEpoch, outcome: 'commit', coordinatorEpoch: 0, leaderEpoch: 0 } as const
    expect(Buffer.from(controlBatch(marker, { offset, timestamp }, crc32c)).toString('hex')).toBe(bytes)
  }
})

test('an abort is a sound batch with its own type and epochs', () => {
  const marker = { producerId: 2 ** 40, producerEpoch: 32_767, outcome: 'abort', coordinatorEpoch: 7, leaderEpoch: 9 } as const
  const batch = controlBatch(marker, { offset: 2 ** 45, timestamp: 1_000 }, crc32c)
  const checked = checkBatch(batch, 0, crc32c)
  expect(checked).toMatchObject({ kind: 'ok', header: { baseOffset: 2 ** 45, producerId: 2 ** 40, producerEpoch: 32_767, recordCount: 1 } })
  const [record] = readRecords(batch, 0, nodeCodecs, 1_000)
  expect(record && [Buffer.from(record.key ?? []).toString('hex'), Buffer.from(record.value ?? []).toString('hex')]).toEqual([
    '00000000',
    '000000000007',
  ])
})
