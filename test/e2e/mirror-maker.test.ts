// MirrorMaker 2 of Kafka 4.3 between Apache Kafka and this server, in both directions: records, headers, topic configs, committed offsets; over a kill of this server.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { startProgram } from '../../packages/sim/src/program.ts'
import { printed, runCommand } from './testing/client-command.ts'
import { ecosystemCommand, needsClients } from './testing/client-program.ts'
import { becomes } from './testing/http.ts'
import { startKafkaBroker } from './testing/kafka-broker.ts'
import { has, linesOf, needs } from './testing/programs.ts'
import { sharedServer } from './testing/restartable-server.ts'
import { temporaryFolder } from './testing/server.ts'

function propertiesOf({ apache, ours }: { readonly apache: string; readonly ours: string }): string {
  const factors = ['replication', 'checkpoints.topic.replication', 'heartbeats.topic.replication', 'offset-syncs.topic.replication']
  const storage = ['offset', 'status', 'config'].map((of) => `${of}.storage.replication`)
  const intervals = ['sync.group.offsets', 'emit.checkpoints', 'emit.heartbeats', 'refresh.topics', 'refresh.groups', 'sync.topic.configs']
  return `clusters=apache,ours
apache.bootstrap.servers=${apache}
ours.bootstrap.servers=${ours}
apache->ours.enabled=true
apache->ours.topics=orders
apache->ours.groups=readers
ours->apache.enabled=true
ours->apache.topics=answers
ours->apache.groups=readers
sync.group.offsets.enabled=true
offset.lag.max=0
offset.flush.interval.ms=1000
${[...factors, ...storage].map((name) => `${name}.factor=1`).join('\n')}
${intervals.map((name) => `${name}.interval.seconds=1`).join('\n')}
`
}

describe('MirrorMaker 2', { timeout: 180_000 }, () => {
  const ours = sharedServer()
  const test = has.kafkaTools ? needsClients('ecosystem') : needs('kafkaTools')

  test('copies topics with their records, headers, configs and committed offsets from Apache Kafka and back', async () => {
    await using apache = await startKafkaBroker()
    await using folder = await temporaryFolder()
    const properties = join(folder.path, 'mm2.properties')
    await writeFile(properties, propertiesOf({ apache: apache.kafka, ours: ours.kafka }))

    await printed(apache.kafka, ['topic', 'create', 'orders', '-p', '2', '-c', 'cleanup.policy=compact'])
    await printed(ours.kafka, ['topic', 'create', 'answers', '-p', '2', '-c', 'max.message.bytes=123456'])
    await produce(apache.kafka, 'orders', 40)
    await printed(apache.kafka, ['produce', 'orders', '-k', 'order 1', '-Z'], '\n')
    await produce(ours.kafka, 'answers', 30)
    await printed(apache.kafka, ['consume', 'orders', '-g', 'readers', '-n', '41'])
    await printed(ours.kafka, ['consume', 'answers', '-g', 'readers', '-n', '30'])

    await using mirror = startProgram(...ecosystemCommand('org.apache.kafka.connect.mirror.MirrorMaker', [properties]))
    const ending = mirror.ended.then(({ stdout, stderr }) => Promise.reject(new Error(`${stdout}\n${stderr}`)))
    ending.catch(() => {}) // after the test

    const copied = async (): Promise<void> => {
      await becomes(() => recordsOf(ours.kafka, 'apache.orders'), await recordsOf(apache.kafka, 'orders'))
      await becomes(() => recordsOf(apache.kafka, 'ours.answers'), await recordsOf(ours.kafka, 'answers'))
    }
    await Promise.race([copied(), ending])
    expect(await recordsOf(ours.kafka, 'apache.orders')).toHaveLength(41)
    expect(await printed(ours.kafka, ['config', 'describe', 'topic', 'apache.orders'])).toMatch(/cleanup\.policy\s+topic\s+compact/)
    expect(await printed(apache.kafka, ['config', 'describe', 'topic', 'ours.answers'])).toMatch(/max\.message\.bytes\s+topic\s+123456/)
    // The group has read everything, so its translated offsets are exact.
    await becomes(() => committedOf(ours.kafka, 'apache.orders'), await committedOf(apache.kafka, 'orders'))
    await becomes(() => committedOf(apache.kafka, 'ours.answers'), await committedOf(ours.kafka, 'answers'))

    await ours.restart()
    await produce(apache.kafka, 'orders', 20)
    await produce(ours.kafka, 'answers', 10)
    // Connect's producers are not idempotent, so a kill may repeat records.
    const withoutOffsets = async (kafka: string, topic: string): Promise<readonly string[]> =>
      [...new Set((await recordsOf(kafka, topic)).map((record) => JSON.stringify({ ...record, offset: undefined })))].toSorted()
    const copiedAgain = async (): Promise<void> => {
      await becomes(() => withoutOffsets(ours.kafka, 'apache.orders'), await withoutOffsets(apache.kafka, 'orders'))
      await becomes(() => withoutOffsets(apache.kafka, 'ours.answers'), await withoutOffsets(ours.kafka, 'answers'))
    }
    await Promise.race([copiedAgain(), ending])
  })
})

let produced = 0

async function produce(kafka: string, topic: string, count: number): Promise<void> {
  const lines = Array.from({ length: count }, () => `order ${produced % 7}:value ${produced++}`).join('\n')
  await printed(kafka, ['produce', topic, '-K', ':', '-z', 'lz4', '-H', `from=${topic}`], `${lines}\n`)
}

interface MirroredRecord {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: string
  readonly value: string | null
  readonly headers: readonly unknown[]
}

/** By partition and offset. A topic that does not exist yet has none. */
async function recordsOf(kafka: string, topic: string): Promise<readonly MirroredRecord[]> {
  const lines = await printedOrNothing(kafka, ['consume', topic, '-e', '-o', 'json'])
  const records = lines.map((line): MirroredRecord => ({ ...JSON.parse(line), topic: undefined }))
  return records.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)
}

/** The committed offset of each partition. */
async function committedOf(kafka: string, topic: string): Promise<Readonly<Record<number, number>>> {
  const lines = await printedOrNothing(kafka, ['group', 'describe', 'readers', '-o', 'json'])
  const [group] = JSON.parse(lines.length === 0 ? '[]' : lines.join('\n')) as {
    readonly partitions: readonly { topic: string; partition: number; committed: number }[]
  }[]
  const partitions = (group?.partitions ?? []).filter((each) => each.topic === topic)
  return Object.fromEntries(partitions.map(({ partition, committed }) => [partition, committed]))
}

/** Until the mirror has made it, the topic or the group does not exist. */
async function printedOrNothing(kafka: string, args: readonly string[]): Promise<readonly string[]> {
  const { code, stdout } = await runCommand(kafka, args)
  return code === 0 ? linesOf(stdout) : []
}
