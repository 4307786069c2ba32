// Fetch, ListOffsets and OffsetForLeaderEpoch: what is read, and where a partition begins and ends.
import {
  codecNames,
  DeleteRecords,
  Fetch,
  type FetchRequest,
  InitProducerId,
  ListOffsets,
  OffsetForLeaderEpoch,
  Produce,
  type RequestInputOf,
} from '@local-kafka-service/protocol'
import { nodeCodecs } from '../../../../packages/agent/src/codecs.ts'
import type { Conversation, TopicOptions } from '../conversation.ts'
import { type RequestRow, type RowOptions, rowsOf } from '../row.ts'
import { batch, firstTimestamp, logTopic, named, records, utf8 } from './parts.ts'

/** A number that no request has, which becomes the largest int64 in the encoded bytes: the encoder takes safe integers only. */
const marked = 0x1234_5678_9abc
const largest = { replaced: [[int64(BigInt(marked)), int64(0x7fff_ffff_ffff_ffffn)]] } as const

const fetchRows = rowsOf(Fetch, (row) => {
  type Partition = FetchRequest['topics'][number]['partitions'][number]
  /** Of a topic with batches of 3 and 2 records. */
  const reads = (
    what: string,
    partition: Partial<Partition>,
    options: RowOptions & { readonly request?: Partial<FetchRequest> } = {},
  ): void =>
    row(
      what,
      async (with_) => {
        const name = await written(with_)
        await with_.send(Fetch, fetching(with_, [[name, [partition]]], options.request))
      },
      options,
    )

  reads('from the beginning', {})
  reads('from the middle of a batch', { fetchOffset: 1 })
  reads('from the second batch', { fetchOffset: 3 })
  reads('from the end', { fetchOffset: 5 })
  reads('from beyond the end', { fetchOffset: 6 })
  reads('offset -1', { fetchOffset: -1 })
  reads('offset -2', { fetchOffset: -2 })
  reads('at most one byte of the partition', { partitionMaxBytes: 1 })
  reads('at most 0 bytes of the partition', { partitionMaxBytes: 0 })
  reads('at most -1 bytes of the partition', { partitionMaxBytes: -1 }, { differs: ['fetch-negative-bytes'] })
  reads('as many bytes as the first batch', { partitionMaxBytes: batch(3).length })
  reads('at most one byte in all', {}, { request: { maxBytes: 1 } })
  reads('at most 0 bytes in all', {}, { request: { maxBytes: 0 } })
  reads('at least more bytes than there are, without waiting', {}, { request: { minBytes: 1_000_000, maxWaitMs: 0 } })
  reads('at least more bytes than there are', {}, { request: { minBytes: 1_000_000, maxWaitMs: 20 } })
  reads('a negative wait', { fetchOffset: 5 }, { request: { maxWaitMs: -1 } })
  reads('read_committed', {}, { request: { isolationLevel: 1 } })
  reads('an isolation level of 2', {}, { differs: ['fetch-isolation'], request: { isolationLevel: 2 } })
  reads('partition 1 of 1', { partition: 1 })
  reads('partition -1', { partition: -1 })
  reads('a leader epoch that is to come', { currentLeaderEpoch: 1_000 }, { versions: '9+' })
  reads('a rack', {}, { versions: '11+', request: { rackId: 'r1' } })
  reads('a replica that is not there', {}, { differs: ['fetch-replica'], versions: '4-14', request: { replicaId: 77 } })
  reads('replica -2', {}, { versions: '4-14', request: { replicaId: -2 } })
  /** Batches of every codec, of an idempotent producer, one of them twice. */
  const recompresses = (type: string, configs: Readonly<Record<string, string>> = {}, options: RowOptions = {}): void =>
    row(
      `batches of every codec in a topic with ${['compression.type', type, ...Object.entries(configs).flat()].join(' ')}`,
      async (with_) => {
        const name = await logTopic(with_, { configs: { 'compression.type': type, ...configs } })
        const { producerId: id } = await with_.ask(InitProducerId, { transactionalId: null, transactionTimeoutMs: 1_000 })
        for (const [at, codec] of [...codecNames, 'none' as const].entries()) {
          const producer = { id, epoch: 0, baseSequence: (at % codecNames.length) * 40 }
          const of = records(40, { key: utf8(codec), headers: [{ key: 'h', value: utf8('a header') }] })
          await produces(with_, name, batch(of, { compression: { codec, codecs: nodeCodecs }, producer }))
        }
        await with_.send(Fetch, fetching(with_, [[name, [{}]]]))
      },
      options,
    )
  for (const type of ['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd']) recompresses(type)
  recompresses('gzip', { 'compression.gzip.level': '9', 'message.timestamp.type': 'LogAppendTime' })
  recompresses('zstd', { 'compression.zstd.level': '-7' }, { versions: '10+' })
  recompresses('lz4', { 'compression.lz4.level': '17' })
  row('a batch that is too large when it is compressed again', async (with_) => {
    const name = await logTopic(with_, { configs: { 'compression.type': 'uncompressed', 'max.message.bytes': '1000' } })
    await produces(with_, name, batch(records(100), { compression: { codec: 'gzip', codecs: nodeCodecs } }))
    await with_.send(Fetch, fetching(with_, [[name, [{}]]]))
  })
  row('the largest offset', async (with_) => {
    const name = await written(with_)
    await with_.send(Fetch, fetching(with_, [[name, [{ fetchOffset: marked }]]]), largest)
  })
  row('an empty partition', async (with_) => {
    const name = await with_.topic()
    await with_.send(Fetch, fetching(with_, [[name, [{}, { partition: 1 }]]]))
  })
  row('no topics', async (with_) => void (await with_.send(Fetch, fetching(with_, []))))
  row('a topic that is not there', async (with_) => {
    await with_.send(Fetch, fetching(with_, [[with_.name('missing'), [{}]]]))
  })
  row('a topic that is not there, read_committed', async (with_) => {
    await with_.send(Fetch, fetching(with_, [[with_.name('missing'), [{}]]], { isolationLevel: 1 }))
  })
  row('a topic that is not there beside one that is', async (with_) => {
    const name = await written(with_)
    await with_.send(
      Fetch,
      fetching(with_, [
        [with_.name('missing'), [{}]],
        [name, [{}]],
      ]),
    )
  })
  row(
    'names that cannot be',
    async (with_) => {
      await with_.send(
        Fetch,
        fetching(with_, [
          ['', [{}]],
          ['a b', [{}]],
        ]),
      )
    },
    { versions: '4-12' },
  )
  row(
    'a partition twice',
    async (with_) => {
      const name = await written(with_)
      await with_.send(Fetch, fetching(with_, [[name, [{}, { fetchOffset: 3 }]]]))
    },
    { differs: ['fetch-partition-twice'] },
  )
  row(
    'a session: full, then nothing, then what is new, then its end',
    async (with_) => {
      const name = await ownWritten(with_, { partitions: 2 })
      const both = fetching(with_, [[name, [{}, { partition: 1 }]]])
      const { sessionId } = await with_.send(Fetch, { ...both, sessionEpoch: 0 })
      await with_.send(Fetch, { ...fetching(with_, [[name, [{ fetchOffset: 5 }]]]), sessionId, sessionEpoch: 1 })
      await with_.send(Fetch, { ...fetching(with_, []), sessionId, sessionEpoch: 2 })
      await writes(with_, name, 1)
      await with_.send(Fetch, { ...fetching(with_, []), sessionId, sessionEpoch: 3, minBytes: 1, maxWaitMs: 5_000 })
      await with_.send(Fetch, { ...fetching(with_, []), sessionId, sessionEpoch: 3 })
      await with_.send(Fetch, { ...fetching(with_, []), sessionId, sessionEpoch: 9 })
      await with_.send(Fetch, { ...fetching(with_, []), sessionId, sessionEpoch: -1 })
      await with_.send(Fetch, { ...fetching(with_, []), sessionId, sessionEpoch: 4 })
    },
    { versions: '7+' },
  )
  row(
    'a session that forgets a partition',
    async (with_) => {
      const name = await ownWritten(with_, { partitions: 2 })
      const { sessionId } = await with_.send(Fetch, { ...fetching(with_, [[name, [{}, { partition: 1 }]]]), sessionEpoch: 0 })
      const forgottenTopicsData = [{ ...named('topic', 13, { with_, name }), partitions: [0] }]
      await with_.send(Fetch, { ...fetching(with_, []), forgottenTopicsData, sessionId, sessionEpoch: 1 })
    },
    { versions: '7+' },
  )
  row(
    'a session that is not there',
    async (with_) => {
      await with_.send(Fetch, { ...fetching(with_, []), sessionId: 12_345, sessionEpoch: 1 })
    },
    { versions: '7+' },
  )
  row(
    'a session of an unknown topic',
    async (with_) => {
      const { sessionId } = await with_.send(Fetch, { ...fetching(with_, [[with_.name('missing'), [{}]]]), sessionEpoch: 0 })
      await with_.send(Fetch, { ...fetching(with_, []), sessionId, sessionEpoch: 1 })
    },
    { versions: '7+' },
  )
})

async function listDeleted(with_: Conversation, timestamp: number): Promise<void> {
  const name = await ownWritten(with_, {})
  await with_.ask(DeleteRecords, { topics: [{ name, partitions: [{ partitionIndex: 0, offset: -1 }] }], timeoutMs: 5_000 })
  await with_.send(ListOffsets, listing(name, [{ timestamp }]))
}

const listRows = rowsOf(ListOffsets, (row) => {
  const lists = (what: string, timestamp: number, options?: RowOptions): void =>
    row(what, async (with_) => void (await with_.send(ListOffsets, listing(await written(with_), [{ timestamp }]))), options)

  lists('the end', -1)
  lists('the beginning', -2)
  lists('the largest timestamp', -3)
  lists('the earliest local offset', -4)
  lists('the latest tiered offset', -5)
  lists('the earliest pending upload', -6)
  lists('timestamp -7', -7)
  lists('a time before the first record', 0)
  lists('the time of the first record', firstTimestamp)
  lists('between two records', firstTimestamp + 500)
  lists('the time of the last record', firstTimestamp + 2_000)
  lists('a time after the last record', firstTimestamp + 1_000_000)
  row(
    'the largest time',
    async (with_) => void (await with_.send(ListOffsets, listing(await written(with_), [{ timestamp: marked }]), largest)),
  )
  for (const [what, timestamp] of [
    ['the end', -1],
    ['the beginning', -2],
    ['the largest timestamp', -3],
    ['a time', firstTimestamp],
  ] as const) {
    row(
      `${what} of an empty partition`,
      async (with_) => void (await with_.send(ListOffsets, listing(await with_.topic(), [{ timestamp }]))),
    )
    const differs = timestamp === -3 ? ['list-offsets-deleted-largest'] : []
    row(`${what} after all records were deleted`, async (with_) => await listDeleted(with_, timestamp), { versions: '7+', differs })
  }
  row(
    'read_committed',
    async (with_) => {
      const name = await written(with_)
      for (const timestamp of [-1, -2, -3, firstTimestamp])
        await with_.send(ListOffsets, { ...listing(name, [{ timestamp }]), isolationLevel: 1 })
    },
    { versions: '2+' },
  )
  row(
    'a leader epoch that is to come',
    async (with_) => {
      await with_.send(ListOffsets, listing(await written(with_), [{ timestamp: -1, currentLeaderEpoch: 1_000 }]))
    },
    { versions: '4+' },
  )
  row('partitions that are not there', async (with_) => {
    await with_.send(
      ListOffsets,
      listing(await written(with_), [{ timestamp: -1 }, { timestamp: -1, partitionIndex: 1 }, { timestamp: -1, partitionIndex: -1 }]),
    )
  })
  row(
    'a topic that is not there',
    async (with_) => void (await with_.send(ListOffsets, listing(with_.name('missing'), [{ timestamp: -1 }]))),
  )
  row('names that cannot be', async (with_) => {
    await with_.send(ListOffsets, listing('', [{ timestamp: -1 }]))
    await with_.send(ListOffsets, listing('a b', [{ timestamp: -1 }]))
  })
  row('a partition twice, and another', async (with_) => {
    const name = await ownWritten(with_, { partitions: 2 })
    await with_.send(ListOffsets, listing(name, [{ timestamp: -1 }, { timestamp: -2 }, { timestamp: -1, partitionIndex: 1 }]))
  })
  row(
    'a replica that is not there',
    async (with_) => void (await with_.send(ListOffsets, { ...listing(await written(with_), [{ timestamp: -1 }]), replicaId: 77 })),
  )
  row(
    'the debugging replica',
    async (with_) => void (await with_.send(ListOffsets, { ...listing(await written(with_), [{ timestamp: -1 }]), replicaId: -2 })),
  )
  row('no topics', async (with_) => void (await with_.send(ListOffsets, { replicaId: -1, topics: [] })))
  row('a topic without partitions', async (with_) => void (await with_.send(ListOffsets, listing(await written(with_), []))))
})

const epochRows = rowsOf(OffsetForLeaderEpoch, (row) => {
  const asks = (
    what: string,
    partition: { readonly currentLeaderEpoch?: number; readonly leaderEpoch: number; readonly partition?: number },
  ): void =>
    row(what, async (with_) => {
      const topic = await written(with_)
      await with_.send(OffsetForLeaderEpoch, { topics: [{ topic, partitions: [{ partition: 0, ...partition }] }] })
    })

  asks('an epoch that is to come', { leaderEpoch: 1_000 })
  asks('epoch -1', { leaderEpoch: -1 })
  asks('a current epoch that is to come', { leaderEpoch: 0, currentLeaderEpoch: 1_000 })
  asks('a partition that is not there', { leaderEpoch: 0, partition: 1 })
  row('the current epoch', async (with_) => {
    const topic = await written(with_)
    const { topics } = await with_.ask(ListOffsets, listing(topic, [{ timestamp: -1 }]))
    const leaderEpoch = topics[0]?.partitions[0]?.leaderEpoch ?? -1
    await with_.send(OffsetForLeaderEpoch, {
      topics: [{ topic, partitions: [{ partition: 0, leaderEpoch, currentLeaderEpoch: leaderEpoch }] }],
    })
  })
  row('a topic that is not there', async (with_) => {
    await with_.send(OffsetForLeaderEpoch, { topics: [{ topic: with_.name('missing'), partitions: [{ partition: 0, leaderEpoch: 0 }] }] })
  })
  row('no topics', async (with_) => void (await with_.send(OffsetForLeaderEpoch, { topics: [] })))
  row('a partition twice', async (with_) => {
    const topic = await written(with_)
    await with_.send(OffsetForLeaderEpoch, {
      topics: [
        {
          topic,
          partitions: [
            { partition: 0, leaderEpoch: 1_000 },
            { partition: 0, leaderEpoch: 1_000 },
          ],
        },
      ],
    })
  })
})

export const fetchTable: readonly RequestRow[] = [...fetchRows, ...listRows, ...epochRows]

/** A topic with batches of 3 and 2 records in partition 0; the last record is not the latest. Rows that only read share it. */
async function written(with_: Conversation): Promise<string> {
  return await with_.shared('written', async (owner) => await ownWritten(owner, {}))
}

/** The same for a row alone. */
async function ownWritten(with_: Conversation, topic: TopicOptions): Promise<string> {
  const name = await logTopic(with_, topic)
  await writes(with_, name, 3)
  await writes(with_, name, 2)
  return name
}

async function produces(with_: Conversation, name: string, bytes: Uint8Array): Promise<number | undefined> {
  const topicData = [{ topicId: with_.idOf(name), partitionData: [{ index: 0, records: bytes }] }]
  const { responses } = await with_.ask(Produce, { acks: -1, timeoutMs: 10_000, topicData })
  return responses[0]?.partitionResponses[0]?.errorCode
}

async function writes(with_: Conversation, name: string, count: number): Promise<void> {
  const errorCode = await produces(with_, name, batch(records(count)))
  if (errorCode !== 0) throw new Error(`the records of ${name} were not written: ${errorCode}`)
}

type FetchedPartitions = readonly Partial<FetchRequest['topics'][number]['partitions'][number]>[]

function fetching(
  with_: Conversation,
  topics: readonly (readonly [name: string, partitions: FetchedPartitions])[],
  more: Partial<FetchRequest> = {},
): RequestInputOf<typeof Fetch> {
  return {
    maxWaitMs: 0,
    minBytes: 0,
    topics: topics.map(([name, partitions]) => ({
      ...named('topic', 13, { with_, name }),
      partitions: partitions.map((partition) => ({ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000, ...partition })),
    })),
    ...more,
  }
}

function listing(
  name: string,
  partitions: readonly { readonly timestamp: number; readonly partitionIndex?: number; readonly currentLeaderEpoch?: number }[],
): RequestInputOf<typeof ListOffsets> {
  return { replicaId: -1, topics: [{ name, partitions: partitions.map((partition) => ({ partitionIndex: 0, ...partition })) }] }
}

function int64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, value)
  return bytes
}
