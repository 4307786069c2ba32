#!/usr/bin/env bash
# @platformatic/kafka: READ_COMMITTED delivers records of aborted transactions, if a producer aborted two of them within one fetch, or one that a fetch cuts.
#
# A Fetch response names each aborted transaction by its producer and its first offset; the transaction ends with the producer's next marker. The consumer
# keeps one range per producer id for a response, so of several aborted transactions of one producer only the last is filtered. And it looks for the end of
# each range in the same response: where the marker comes with a later fetch, because the transaction is larger than one, it filters nothing of the range.
# The broker names only transactions that are aborted for certain, so the marker is not needed. A producer that fails and tries again aborts several
# transactions in a row.
# The stub below answers the Fetch of the consumer with batches as a broker stores them. With a broker of Apache Kafka 4.3.1 in its place, a stream of
# `consume` delivers the first aborted record, too, and kafkajs 2.2.4 does not. Seen with @platformatic/kafka 2.12.1 on Node 26.10.0 (it needs Node 22).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --no-audit --no-fund --silent @platformatic/kafka@2.12.1
cat >fetch.mjs <<'JS'
import { createServer } from 'node:net'
import { Consumer, crc32c, FetchIsolationLevels, Writer } from '@platformatic/kafka'

const topicId = '00000000-0000-4000-8000-000000000001'
const apis = { fetch: { key: 1, version: 17 }, metadata: { key: 3, version: 12 }, apiVersions: { key: 18, version: 4 } }
const producerId = 7n

// ---- batches, as the log of a broker has them: one record each -------------------------------------------------------------------
const transactional = 0x10
const control = 0x20
const zigzag = (value) => value * 2 // of numbers from 0 to 63, so of one byte
function batch(offset, { attributes, key, value }) {
  const record = Buffer.concat([Buffer.from([0, 0, 0, zigzag(key.length)]), key, Buffer.from([zigzag(value.length)]), value, Buffer.from([0])])
  const body = Buffer.alloc(40)
  body.writeInt16BE(attributes, 0)
  body.writeBigInt64BE(1_700_000_000_000n, 6)
  body.writeBigInt64BE(1_700_000_000_000n, 14)
  body.writeBigInt64BE(producerId, 22)
  body.writeInt32BE(control & attributes ? -1 : offset, 32)
  body.writeInt32BE(1, 36)
  const checked = Buffer.concat([body, Buffer.from([zigzag(record.length)]), record])
  const head = Buffer.alloc(21)
  head.writeBigInt64BE(BigInt(offset), 0)
  head.writeInt32BE(checked.length + 9, 8)
  head.writeInt8(2, 16)
  head.writeUInt32BE(crc32c(checked), 17)
  return Buffer.concat([head, checked])
}
const record = (offset, text) => batch(offset, { attributes: transactional, key: Buffer.from('k'), value: Buffer.from(text) })
const marker = (offset, type) =>
  batch(offset, { attributes: transactional | control, key: Buffer.from([0, 0, 0, type]), value: Buffer.from([0, 0, 0, 0, 0, 0]) })
const abort = (offset) => marker(offset, 0)
const commit = (offset) => marker(offset, 1)

const cases = {
  'one aborted transaction': { log: [record(0, 'aborted'), abort(1), record(2, 'committed'), commit(3)], aborted: [0n] },
  'two aborted transactions': {
    log: [record(0, 'first aborted'), abort(1), record(2, 'second aborted'), abort(3), record(4, 'committed'), commit(5)],
    aborted: [0n, 2n],
  },
  'an aborted transaction, its marker in the next fetch': { log: [record(0, 'aborted'), record(1, 'aborted as well')], aborted: [0n] },
}

// ---- the stub --------------------------------------------------------------------------------------------------------------------
let answered
const bodies = {
  [apis.apiVersions.key]: () =>
    Writer.create()
      .appendInt16(0)
      .appendArray(Object.values(apis), (w, { key, version }) => w.appendInt16(key).appendInt16(version).appendInt16(version))
      .appendInt32(0)
      .appendTaggedFields(),
  [apis.metadata.key]: () =>
    Writer.create()
      .appendInt32(0)
      .appendArray([server.address().port], (w, port) => w.appendInt32(1).appendString('127.0.0.1').appendInt32(port).appendString(null))
      .appendString('cluster')
      .appendInt32(1)
      .appendArray([], () => {})
      .appendTaggedFields(),
  [apis.fetch.key]: () => {
    const records = Buffer.concat(answered.log)
    return Writer.create()
      .appendInt32(0)
      .appendInt16(0)
      .appendInt32(0)
      .appendArray([topicId], (w, id) =>
        w.appendUUID(id).appendArray([0], (w, index) =>
          w
            .appendInt32(index)
            .appendInt16(0)
            .appendInt64(100n)
            .appendInt64(100n)
            .appendInt64(0n)
            .appendArray(answered.aborted, (w, first) => w.appendInt64(producerId).appendInt64(first))
            .appendInt32(-1)
            .appendUnsignedVarInt(records.length + 1)
            .append(records),
        ),
      )
      .appendTaggedFields()
  },
}
const server = createServer((socket) => {
  let waiting = Buffer.alloc(0)
  socket.on('data', (bytes) => {
    waiting = Buffer.concat([waiting, bytes])
    while (waiting.length >= 4 && waiting.length >= 4 + waiting.readInt32BE(0)) {
      const key = waiting.readInt16BE(4)
      const head = Buffer.alloc(key === apis.apiVersions.key ? 8 : 9) // only the newer header has tagged fields
      waiting.copy(head, 4, 8, 12)
      const body = bodies[key]().buffer
      head.writeInt32BE(head.length - 4 + body.length, 0)
      socket.write(Buffer.concat([head, body]))
      waiting = waiting.subarray(4 + waiting.readInt32BE(0))
    }
  })
})
server.listen(0, '127.0.0.1', async () => {
  const consumer = new Consumer({ groupId: 'g', clientId: 'c', bootstrapBrokers: [`127.0.0.1:${server.address().port}`] })
  for (const [what, answer] of Object.entries(cases)) {
    answered = answer
    const partition = { partition: 0, currentLeaderEpoch: -1, fetchOffset: 0n, lastFetchedEpoch: -1, partitionMaxBytes: 1_000_000 }
    const { responses } = await consumer.fetch({
      node: 1,
      isolationLevel: FetchIsolationLevels.READ_COMMITTED,
      topics: [{ topicId, partitions: [partition] }],
    })
    const batches = responses[0].partitions[0].records.filter(({ attributes }) => (attributes & control) === 0)
    console.log(`${what}: ${JSON.stringify(batches.flatMap(({ records }) => records.map(({ value }) => value.toString())))}`)
  }
  await consumer.close()
  server.close()
})
JS
node fetch.mjs | tee seen
diff - seen <<'SEEN' && echo 'as it was seen'
one aborted transaction: ["committed"]
two aborted transactions: ["first aborted","committed"]
an aborted transaction, its marker in the next fetch: ["aborted","aborted as well"]
SEEN
