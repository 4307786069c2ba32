// A topic in as many small objects as a producer leaves that sends one request at a time, written at once: the server stores the first object, and this the others, all like it.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { nativeCrc32c } from '../packages/agent/src/codecs.ts'
import type { ClusterId, TopicId } from '../packages/agent/src/core/ids.ts'
import { objectKey } from '../packages/agent/src/core/object-key.ts'
import { openVolumes } from '../packages/agent/src/objects/adapters/volumes/open-volumes.ts'
import { encodeObject } from '../packages/agent/src/objects/object-format.ts'
import { systemClock, systemRandom } from '../packages/agent/src/time/system-clock.ts'
import type { Build } from './builds.ts'
import { checkProduced, createTopic, produceFrame } from './frames.ts'
import { ours } from './processes.ts'
import { load, WireClient } from './wire-client.ts'

export interface SmallObjects {
  readonly partitions: number
  /** About the size of the one batch that each partition has in each object. */
  readonly batchBytes: number
  /** Of all batches together. */
  readonly bytes: number
}

/** The objects are a millisecond apart, and the newest is as old as the first request. Returns the bytes of the batches. */
export async function writeSmallObjects(build: Build, folder: string, { partitions, batchBytes, bytes }: SmallObjects): Promise<number> {
  const frame = produceFrame(batchBytes, partitions)
  await storeFirst(build, folder, { partitions, frame: frame.bytes })
  const count = Math.ceil(bytes / (partitions * frame.batchBytes))
  const first = copyRows(join(folder, 'metadata.db'), count)
  if (first.segments.length !== partitions) throw new Error(`the first request made ${first.segments.length} segments`)
  await copyObjects(join(folder, 'objects'), first, count)
  return count * partitions * frame.batchBytes
}

interface SegmentOfFirst {
  readonly topicId: TopicId
  readonly partition: number
  readonly byteStart: number
  readonly sizeBytes: number
}

interface FirstObject {
  readonly clusterId: ClusterId
  readonly incarnation: number
  readonly nonce: string
  readonly sequence: number
  readonly segments: readonly SegmentOfFirst[]
}

const putsAtOnce = 256

async function storeFirst(
  build: Build,
  folder: string,
  { partitions, frame }: { readonly partitions: number; readonly frame: Buffer },
): Promise<void> {
  await using server = await ours({ build, args: ['--dir', folder, '--storage-merge-interval-ms', '-1'] })
  const client = await WireClient.open(server.port)
  await createTopic(client, partitions)
  await load(client, frame, { inFlight: 1, seconds: 60, requests: 1, check: checkProduced })
  client.close()
}

/** The rows that the commits of the other objects would have written. */
function copyRows(path: string, count: number): FirstObject {
  const database = new DatabaseSync(path)
  try {
    // The casts are safe because the columns of these tables are what the schema says.
    const first = database
      .prepare(
        `SELECT c.cluster_id AS clusterId, o.incarnation, i.nonce, o.sequence FROM objects AS o
          JOIN incarnations AS i ON i.incarnation = o.incarnation JOIN clusters AS c ON c.cluster = o.cluster`,
      )
      .get() as unknown as Omit<FirstObject, 'segments'>
    const segments = database
      .prepare(
        `SELECT p.topic_id AS topicId, p.partition, s.byte_start AS byteStart, s.size_bytes AS sizeBytes FROM segments AS s
          JOIN partitions AS p ON p.log = s.log ORDER BY s.byte_start`,
      )
      .all() as unknown as readonly SegmentOfFirst[]
    const copies = `WITH RECURSIVE copies(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < ${count - 1})`
    database.exec(`BEGIN; ${copies} INSERT INTO segments
        (cluster, log, last_offset, base_offset, incarnation, sequence, byte_start, size_bytes, max_timestamp, running_max_timestamp)
      SELECT s.cluster, s.log, s.last_offset + n * (s.last_offset + 1), n * (s.last_offset + 1), s.incarnation, s.sequence + n, s.byte_start, s.size_bytes,
        s.max_timestamp, s.running_max_timestamp
      FROM segments AS s CROSS JOIN copies WHERE s.base_offset = 0 ORDER BY s.log, n;
      ${copies} INSERT INTO objects (cluster, incarnation, sequence, size_bytes, checksum, created_at_ms)
      SELECT o.cluster, o.incarnation, o.sequence + n, o.size_bytes, o.checksum, o.created_at_ms - (${count - 1} - n)
      FROM objects AS o CROSS JOIN copies WHERE o.sequence = ${first.sequence};
      UPDATE objects SET created_at_ms = created_at_ms - ${count - 1} WHERE sequence = ${first.sequence};
      UPDATE partitions SET next_offset = next_offset * ${count};
      UPDATE incarnations SET last_sequence = ${first.sequence + count - 1} WHERE incarnation = ${first.incarnation}; COMMIT`)
    return { ...first, segments }
  } finally {
    database.close()
  }
}

async function copyObjects(
  folder: string,
  { clusterId, incarnation: id, nonce, sequence, segments }: FirstObject,
  count: number,
): Promise<void> {
  const store = openVolumes(folder, { durability: 'os', crc32c: nativeCrc32c, random: systemRandom, clock: systemClock, emit: () => {} })
  const incarnation = { id, nonce }
  const first = await store.read(objectKey(clusterId, incarnation, sequence))
  const groups = segments.map(({ topicId, partition, byteStart, sizeBytes }) => {
    return { topicId, partition, epoch: 0, batches: 1, chunks: [first.subarray(byteStart, byteStart + sizeBytes)] }
  })
  for (let next = 1; next < count; ) {
    const puts: Promise<void>[] = []
    for (const end = Math.min(count, next + putsAtOnce); next < end; next += 1) {
      const object = { clusterId, incarnation, sequence: sequence + next, groups }
      puts.push(store.put(objectKey(clusterId, incarnation, object.sequence), encodeObject(object, nativeCrc32c).chunks))
    }
    await Promise.all(puts)
  }
  await store.close()
}
