// Produce and InitProducerId: what is written, what is rejected, and what an idempotent producer may do.
import { gzipSync, zstdCompressSync } from 'node:zlib'
import {
  attributeBits,
  batchLayout,
  type Codecs,
  InitProducerId,
  type InitProducerIdRequest,
  Produce,
  type ProduceRequest,
} from '@local-kafka-service/protocol'
import { batchAround, plainRecords } from '../../../../packages/agent/src/api/testing/damaged-batches.ts'
import { type Conversation, joined } from '../conversation.ts'
import { type RequestRow, type RowOptions, rowsOf } from '../row.ts'
import { batch, firstTimestamp, logTopic, named, records, sealed, utf8, withByte } from './parts.ts'

const produceRows = rowsOf(Produce, (row) => {
  /** One batch to partition 0 of a topic. */
  const writes = (what: string, bytes: (with_: Conversation) => Uint8Array | null, options: RowOptions & WriteOptions = {}): void =>
    row(
      what,
      async (with_) => {
        const name = await logTopic(with_, { configs: options.configs ?? {} })
        await with_.send(Produce, production(with_, [[name, [[0, bytes(with_)]]]], options.request))
        if (options.again === true) await with_.send(Produce, production(with_, [[name, [[0, bytes(with_)]]]], options.request))
      },
      options,
    )

  writes('one record', () => batch())
  writes('three records', () => batch(3), { again: true })
  writes('acks=all', () => batch(), { request: { acks: -1 } })
  writes('acks=2', () => batch(), { request: { acks: 2 } })
  writes('acks=-2', () => batch(), { request: { acks: -2 } })
  writes('a time-out of 0', () => batch(), { request: { timeoutMs: 0 } })
  writes('a key and headers', () => batch(records(2, { key: utf8('k'), headers: [{ key: 'h', value: null }] })))
  writes('a tombstone', () => batch(records(1, { key: utf8('k'), value: null })))
  writes('no bytes of records', () => new Uint8Array())
  writes('two batches', () => joined([batch(), batch()]))
  writes('a batch cut off', () => batch().subarray(0, -1))
  writes('the header of a batch alone', () => batch().subarray(0, batchLayout.records))
  writes('half a header', () => batch().subarray(0, 30))
  writes('a wrong checksum', () => withByte(batch(), batchLayout.crc, 0))
  writes('magic 3', () => withByte(batch(), batchLayout.magic, 3), { differs: ['produce-magic'] })
  writes('an unknown codec', () => sealed(withByte(batch(), batchLayout.attributes + 1, 7)), { differs: ['produce-codec'] })
  writes('a base offset of 5', () => batch(1, { baseOffset: 5 }))
  writes('a leader epoch of its own', () => batch(1, { leaderEpoch: 7 }))
  writes('a control batch', () => batch(1, { attributes: attributeBits.control }))
  writes('a batch without records', () => {
    const header = Uint8Array.from(batch().subarray(0, batchLayout.records))
    new DataView(header.buffer).setInt32(batchLayout.length, batchLayout.records - batchLayout.leaderEpoch)
    new DataView(header.buffer).setInt32(batchLayout.recordCount, 0)
    return sealed(header)
  })
  writes('a record count below the last offset', () => {
    const bytes = Uint8Array.from(batch(2))
    new DataView(bytes.buffer).setInt32(batchLayout.lastOffsetDelta, 5)
    return sealed(bytes)
  })
  writes('a negative record count', () => {
    const bytes = Uint8Array.from(batch(2))
    new DataView(bytes.buffer).setInt32(batchLayout.recordCount, -1)
    return sealed(bytes)
  })
  writes('a max timestamp below the first', () => {
    const bytes = Uint8Array.from(batch(2))
    new DataView(bytes.buffer).setBigInt64(batchLayout.maxTimestamp, BigInt(firstTimestamp - 1))
    return sealed(bytes)
  })
  writes('a timestamp of -1', () => batch(records(1, { timestamp: -1 })))
  writes('a timestamp of 0', () => batch(records(1, { timestamp: 0 })))
  writes('a timestamp in the year 2100', () => batch(records(2, { timestamp: 4_102_444_800_000 })))
  writes('LogAppendTime', () => batch(2), { configs: { 'message.timestamp.type': 'LogAppendTime' } })
  writes('a timestamp older than the topic takes', () => batch(2), { configs: { 'message.timestamp.before.max.ms': '1000' } })
  writes('a batch larger than the topic takes', () => batch(records(1, { value: new Uint8Array(2000) })), {
    configs: { 'max.message.bytes': '1000' },
  })
  writes('gzip', () => batch(3, { compression: { codec: 'gzip', codecs } }))
  writes('zstd', () => batch(3, { compression: { codec: 'zstd', codecs } }))
  writes('lz4', () => batch(3, { compression: { codec: 'lz4', codecs } }))
  writes('lz4 with linked blocks', () => batch(3, { compression: { codec: 'lz4', codecs: linkedBlocks } }), { differs: ['produce-lz4'] })
  writes(
    'gzip that breaks off',
    () => {
      const packed = gzipSync(plainRecords(records(2), firstTimestamp)).subarray(0, -9)
      return batchAround(packed, { codec: 'gzip', count: 2, base: firstTimestamp, max: firstTimestamp + 1_000 })
    },
    { differs: ['produce-damaged-records'] },
  )
  writes('transactional records without a transactional id', () =>
    batch(1, { attributes: attributeBits.transactional, producer: { id: 77, epoch: 0, baseSequence: 0 } }),
  )
  writes('an unknown producer that begins at sequence 0', () => batch(1, { producer: { id: 1_000_077, epoch: 0, baseSequence: 0 } }))
  writes('an unknown producer that begins at sequence 5', () => batch(1, { producer: { id: 1_000_078, epoch: 0, baseSequence: 5 } }))
  writes('a producer id without an epoch or a sequence', () => batch(1, { producer: { id: 1_000_079, epoch: -1, baseSequence: -1 } }))
  writes('a producer id without an epoch', () => batch(1, { producer: { id: 1_000_080, epoch: -1, baseSequence: 0 } }), {
    again: true,
    differs: ['produce-epoch'],
  })
  writes('a producer id without a sequence', () => batch(1, { producer: { id: 1_000_081, epoch: 0, baseSequence: -1 } }))
  writes('an epoch and a sequence without a producer id', () => batch(1, { producer: { id: -1, epoch: 0, baseSequence: 0 } }), {
    again: true,
  })
  writes('an epoch alone', () => batch(1, { producer: { id: -1, epoch: 3, baseSequence: -1 } }))
  writes('a sequence alone', () => batch(1, { producer: { id: -1, epoch: -1, baseSequence: 3 } }))
  writes('producer id -2', () => batch(1, { producer: { id: -2, epoch: 0, baseSequence: 0 } }))

  row('no topics', async (with_) => void (await with_.send(Produce, production(with_, []))))
  row('a topic without partitions', async (with_) => void (await with_.send(Produce, production(with_, [[await logTopic(with_), []]]))))
  row(
    'a partition that is not there',
    async (with_) => void (await with_.send(Produce, production(with_, [[await logTopic(with_), [[1, batch()]]]]))),
  )
  row('partition -1', async (with_) => void (await with_.send(Produce, production(with_, [[await logTopic(with_), [[-1, batch()]]]]))))
  row(
    'a topic that is not there',
    async (with_) => void (await with_.send(Produce, production(with_, [[with_.name('missing'), [[0, batch()]]]]))),
  )
  row(
    'the zero id',
    async (with_) => {
      const request = production(with_, [[with_.name(), [[0, batch()]]]])
      await with_.send(Produce, {
        ...request,
        topicData: request.topicData.map((topic) => ({ ...topic, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' })),
      })
    },
    { versions: '13+' },
  )
  row(
    'names that cannot be',
    async (with_) =>
      void (await with_.send(
        Produce,
        production(with_, [
          ['', [[0, batch()]]],
          ['a b', [[0, batch()]]],
        ]),
      )),
    { versions: '0-12' },
  )
  row('a good partition beside a missing one and a damaged batch', async (with_) => {
    const name = await logTopic(with_, { partitions: 2 })
    const partitions = [
      [0, batch()],
      [1, withByte(batch(), batchLayout.crc, 0)],
      [2, batch()],
    ] as const
    await with_.send(Produce, production(with_, [[name, partitions]]))
  })
  row(
    'a partition twice',
    async (with_) => {
      const name = await logTopic(with_)
      await with_.send(
        Produce,
        production(with_, [
          [
            name,
            [
              [0, batch()],
              [0, batch(2)],
            ],
          ],
        ]),
      )
    },
    { differs: ['produce-partition-twice'] },
  )
  row('acks=0 and then acks=1', async (with_) => {
    const name = await logTopic(with_)
    await with_.send(Produce, production(with_, [[name, [[0, batch()]]]], { acks: 0 }), { unanswered: true })
    await with_.send(Produce, production(with_, [[name, [[0, batch()]]]]))
  })
  row('acks=0 to a topic that is not there closes the connection', async (with_) => {
    await with_.send(Produce, production(with_, [[with_.name('a b'), [[0, batch()]]]], { acks: 0 }), { unanswered: true })
    await with_.send(Produce, production(with_, []))
  })
  row(
    'a new producer whose first batch has sequence 5',
    async (with_) => {
      const name = await logTopic(with_)
      const { producerId: id } = await with_.ask(InitProducerId, { transactionalId: null, transactionTimeoutMs: 1000 })
      await with_.send(Produce, production(with_, [[name, [[0, batch(1, { producer: { id, epoch: 0, baseSequence: 5 } })]]]]))
    },
    { differs: ['produce-lost-first-batch'] },
  )
  row(
    'an idempotent producer: in order, again, with a gap',
    async (with_) => {
      const name = await logTopic(with_)
      const { producerId } = await with_.ask(InitProducerId, { transactionalId: null, transactionTimeoutMs: 1000 })
      const sends = async (epoch: number, baseSequence: number, count = 2): Promise<unknown> =>
        await with_.send(Produce, production(with_, [[name, [[0, batch(count, { producer: { id: producerId, epoch, baseSequence } })]]]]))
      await sends(0, 0)
      await sends(0, 2)
      await sends(0, 0)
      await sends(0, 2)
      await sends(0, 6)
      await sends(0, 3)
      await sends(1, 3)
      await sends(1, 0)
      await sends(0, 4)
    },
    { differs: ['produce-repeat-time'] },
  )
})

const initRows = rowsOf(InitProducerId, (row) => {
  const asks = (what: string, request: Partial<InitProducerIdRequest>, options?: RowOptions): void =>
    row(
      what,
      async (with_) => void (await with_.send(InitProducerId, { transactionalId: null, transactionTimeoutMs: 60_000, ...request })),
      options,
    )

  asks('a new producer', {})
  asks('a transaction time-out of 0', { transactionTimeoutMs: 0 })
  asks('a transaction time-out of -1', { transactionTimeoutMs: -1 })
  asks('the largest transaction time-out', { transactionTimeoutMs: 0x7fff_ffff })
  asks('the empty transactional id', { transactionalId: '' })
  asks('a producer id that is unknown', { producerId: 1_000_099, producerEpoch: 3 }, { versions: '3+' })
  asks('a producer id without an epoch', { producerId: 1_000_099 }, { versions: '3+' })
  asks('an epoch without a producer id', { producerEpoch: 3 }, { versions: '3+' })
  row(
    'a producer that asks for its next epoch',
    async (with_) => {
      const first = await with_.send(InitProducerId, { transactionalId: null, transactionTimeoutMs: 60_000 })
      const { producerId, producerEpoch } = first
      await with_.send(InitProducerId, { transactionalId: null, transactionTimeoutMs: 60_000, producerId, producerEpoch })
    },
    { versions: '3+' },
  )
})

export const produceTable: readonly RequestRow[] = [...produceRows, ...initRows]

interface WriteOptions {
  readonly configs?: Readonly<Record<string, string>>
  readonly request?: Partial<ProduceRequest>
  /** Sends the same once more. */
  readonly again?: true
}

type PartitionBatches = readonly (readonly [index: number, records: Uint8Array | null])[]

export function production(
  with_: Conversation,
  topics: readonly (readonly [name: string, partitions: PartitionBatches])[],
  more: Partial<ProduceRequest> = {},
): ProduceRequest {
  const topicData = topics.map(([name, partitions]) => ({
    ...named('name', 13, { with_, name }),
    // The cast: a request to encode may have null records, which a decoded one has as well.
    partitionData: partitions.map(([index, bytes]) => ({ index, records: bytes as Uint8Array })),
  }))
  return { transactionalId: null, acks: 1, timeoutMs: 10_000, topicData, ...more }
}

const codecs: Codecs = {
  gzip: { compress: (bytes) => gzipSync(bytes), decompress: unused },
  zstd: { compress: (bytes) => zstdCompressSync(bytes), decompress: unused },
  snappyBlock: { compress: unused, decompress: unused },
  lz4Frame: { compress: (bytes) => lz4Frame([0x60, 0x70, 0x73], bytes), decompress: unused },
}
const linkedBlocks: Codecs = { ...codecs, lz4Frame: { compress: (bytes) => lz4Frame([0x40, 0x70, 0xdf], bytes), decompress: unused } }

/** An LZ4 frame of one block that is not compressed. The descriptor is the flags, the block size and their checksum. */
function lz4Frame(descriptor: readonly number[], bytes: Uint8Array): Uint8Array {
  const blockSize = Buffer.alloc(4)
  blockSize.writeUInt32LE(0x8000_0000 + bytes.length)
  return Buffer.concat([Buffer.from([0x04, 0x22, 0x4d, 0x18, ...descriptor]), blockSize, bytes, Buffer.alloc(4)])
}

function unused(): never {
  throw new Error('no row uses this')
}
