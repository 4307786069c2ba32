// Apache Kafka's own command-line tools against this server: each does its work, or ends with Kafka's own error.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect } from 'vitest'
import { createTopic, produceToEach } from './testing/http.ts'
import { kafkaTool, linesOf, needs } from './testing/programs.ts'
import { sharedServer } from './testing/restartable-server.ts'
import { temporaryFolder } from './testing/server.ts'

describe("Kafka's own tools", () => {
  const server = sharedServer()
  const java = needs('kafkaTools')
  const run = async (mainClass: string, ...args: readonly string[]): Promise<string> => {
    const name = mainClass.includes('.') ? mainClass : `org.apache.kafka.tools.${mainClass}`
    return (await kafkaTool(name, ['--bootstrap-server', server.kafka, ...args])).stdout
  }
  const configs = async (...args: readonly string[]): Promise<string> => await run('kafka.admin.ConfigCommand', ...args)
  beforeAll(async () => {
    await createTopic(server, 'tools', 2)
    await produceToEach(server, 'tools', 2, 'value')
  })

  java('kafka-topics creates a topic with the configs that Connect and Streams set', async () => {
    const set = ['min.insync.replicas=2', 'segment.bytes=52428800', 'retention.ms=-1', 'message.timestamp.type=CreateTime']
    await run('TopicCommand', '--create', '--topic', 'set', ...set.flatMap((config) => ['--config', config]))
    const described = await run('TopicCommand', '--describe', '--topic', 'set')
    for (const config of set) expect(described).toContain(config)
    await expect(run('TopicCommand', '--create', '--topic', 'wrong', '--config', 'segment.bytes=100')).rejects.toThrow(
      /Invalid value 100 for configuration segment.bytes: Value must be at least 1048576/,
    )
  })

  java('kafka-configs sets, describes and deletes configs of a topic', async () => {
    const topic = ['--entity-type', 'topics', '--entity-name', 'tools']
    expect(await configs('--alter', ...topic, '--add-config', 'flush.ms=5,max.message.bytes=3000')).toMatch(/Completed updating config/)
    expect(await configs('--describe', ...topic)).toMatch(
      /flush\.ms=5 sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG:flush\.ms=5\}\n {2}max\.message\.bytes=3000 sensitive=false/,
    )
    await configs('--alter', ...topic, '--delete-config', 'flush.ms,max.message.bytes')
    expect(linesOf(await configs('--describe', ...topic))).toEqual(['Dynamic configs for topic tools are:'])
  })

  java('kafka-configs describes groups, brokers and client metrics', async () => {
    for (const type of ['groups', 'client-metrics']) expect(await configs('--describe', '--entity-type', type)).toBe('')
    expect(await configs('--describe', '--entity-type', 'brokers')).toMatch(/Dynamic configs for broker 1 are:/)
  })

  java('kafka-client-metrics alters, lists, describes and deletes', async () => {
    await run('ClientMetricsCommand', '--alter', '--name', 'm', '--metrics', 'org.apache.kafka.producer.', '--interval', '30000')
    expect(linesOf(await run('ClientMetricsCommand', '--list'))).toEqual(['m'])
    expect(await run('ClientMetricsCommand', '--describe')).toMatch(/interval\.ms=30000[\s\S]*metrics=org\.apache\.kafka\.producer\./)
    await run('ClientMetricsCommand', '--delete', '--name', 'm')
    expect(linesOf(await run('ClientMetricsCommand', '--list'))).toEqual([])
  })

  java('kafka-log-dirs shows the size of each partition', async () => {
    const shown = linesOf(await run('LogDirsCommand', '--describe', '--topic-list', 'tools')).at(-1)
    const { brokers } = JSON.parse(shown ?? '{}') as {
      readonly brokers: readonly { readonly logDirs: readonly { readonly partitions: readonly { readonly size: number }[] }[] }[]
    }
    const sizes = brokers.flatMap(({ logDirs }) => logDirs.flatMap(({ partitions }) => partitions.map(({ size }) => size)))
    expect(sizes).toHaveLength(2)
    for (const size of sizes) expect(size).toBeGreaterThan(60)
  })

  java('kafka-delete-records deletes the oldest records, and consumers begin after them', async () => {
    await using folder = await temporaryFolder()
    await createTopic(server, 'shortened', 1)
    for (const value of ['one', 'two', 'three']) await produceToEach(server, 'shortened', 1, value)
    const file = join(folder.path, 'offsets.json')
    const deletion = async (offset: number): Promise<string> => {
      await writeFile(file, JSON.stringify({ version: 1, partitions: [{ topic: 'shortened', partition: 0, offset }] }))
      return await run('DeleteRecordsCommand', '--offset-json-file', file)
    }
    expect(await deletion(2)).toMatch(/partition: shortened-0\s+low_watermark: 2/)
    expect(linesOf(await run('GetOffsetShell', '--topic', 'shortened', '--time', 'earliest'))).toEqual(['shortened:0:2'])
    expect(await deletion(9)).toMatch(/partition: shortened-0\s+error: .*OffsetOutOfRangeException/)
    expect(await deletion(-1)).toMatch(/partition: shortened-0\s+low_watermark: 3/)
  })

  java('kafka-leader-election finds every leader elected', async () => {
    const preferred = ['--election-type', 'preferred']
    expect(await run('LeaderElectionCommand', ...preferred, '--topic', 'tools', '--partition', '0')).toMatch(
      /Valid replica already elected for partitions tools-0/,
    )
    await run('LeaderElectionCommand', ...preferred, '--all-topic-partitions')
  })

  java('kafka-reassign-partitions executes and verifies what is in place, and lists nothing', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'reassignment.json')
    await writeFile(file, JSON.stringify({ version: 1, partitions: [{ topic: 'tools', partition: 0, replicas: [1] }] }))
    const command = 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand'
    expect(await run(command, '--reassignment-json-file', file, '--execute')).toMatch(/Successfully started partition reassignment/)
    expect(await run(command, '--reassignment-json-file', file, '--verify')).toMatch(/Reassignment of partition tools-0 is completed/)
    expect(await run(command, '--list')).toMatch(/No partition reassignments found/)
  })

  java('kafka-features describes the version of transactions, and upgrades nothing', async () => {
    expect(await run('FeatureCommand', 'describe')).toMatch(
      /^Feature: transaction\.version\s+SupportedMinVersion: 0\s+SupportedMaxVersion: 2\s+FinalizedVersionLevel: 2\s+Epoch: \d+\s*$/,
    )
    await expect(run('FeatureCommand', 'upgrade', '--feature', 'group.version=1')).rejects.toThrow(/does not support this feature/)
  })

  java('kafka-metadata-quorum describes this server as a quorum of one', async () => {
    expect(await run('MetadataQuorumCommand', 'describe', '--status')).toMatch(/LeaderId: +1\n/)
    expect(await run('MetadataQuorumCommand', 'describe', '--replication')).toMatch(/Leader/)
  })

  java('kafka-cluster shows the id, and unregisters no unknown broker', async () => {
    const cluster = async (...args: readonly string[]): Promise<string> =>
      (await kafkaTool('org.apache.kafka.tools.ClusterTool', [...args, '--bootstrap-server', server.kafka])).stdout
    expect(await cluster('cluster-id')).toMatch(/Cluster ID: [0-9a-f-]{36}/)
    await expect(cluster('unregister', '--id', '77')).rejects.toThrow(/Broker ID 77 is not currently registered/)
  })

  java('kafka-broker-api-versions lists the APIs', async () => {
    expect(await run('BrokerApiVersionsCommand')).toMatch(/IncrementalAlterConfigs\(44\): 0 to 1 \[usable: 1\]/)
  })

  java('kafka-acls reports that there is no authorizer', async () => {
    await expect(run('AclCommand', '--list')).rejects.toThrow(/No Authorizer is configured on the broker/)
  })

  java('kafka-verifiable-producer and kafka-verifiable-consumer agree, and kafka-groups lists the group', async () => {
    await createTopic(server, 'verified', 1)
    const produced = await run('VerifiableProducer', '--topic', 'verified', '--max-messages', '50')
    expect(produced).toMatch(/"sent":50,"acked":50/)
    const consumed = await run('VerifiableConsumer', '--topic', 'verified', '--group-id', 'verifiers', '--max-messages', '50')
    expect(linesOf(consumed).filter((line) => line.includes('records_consumed'))).not.toEqual([])
    expect(await run('GroupsCommand', '--list')).toMatch(/verifiers\s+Classic\s+consumer/)
  })

  java('kafka-consumer-perf-test reads all records, and kafka-e2e-latency gets each record back', async () => {
    await createTopic(server, 'measured', 1)
    const latency = await run(
      'EndToEndLatency',
      '--topic',
      'measured',
      '--num-records',
      '20',
      '--producer-acks',
      'all',
      '--record-size',
      '100',
    )
    expect(latency).toMatch(/Avg latency: [\d.]+ ms/)
    const consumed = linesOf(await run('ConsumerPerformance', '--topic', 'measured', '--num-records', '20', '--timeout', '30000')).at(-1)
    // The fields: start, end, MB, MB per second, records, and so on.
    expect(Number(consumed?.split(', ')[4])).toBeGreaterThanOrEqual(20)
  })

  java('kafka-configs sets, describes and deletes configs of a broker and of all brokers', async () => {
    const all = ['--entity-type', 'brokers', '--entity-default']
    const one = ['--entity-type', 'brokers', '--entity-name', '1']
    expect(await configs('--alter', ...all, '--add-config', 'message.max.bytes=5000')).toMatch(
      /Completed updating default config for brokers/,
    )
    await configs('--alter', ...one, '--add-config', 'message.max.bytes=6000,log.cleanup.policy=[compact,delete]')
    expect(await configs('--describe', ...all)).toMatch(/message\.max\.bytes=5000 sensitive=false/)
    expect(await configs('--describe', ...one)).toMatch(
      /message\.max\.bytes=6000 sensitive=false synonyms=\{DYNAMIC_BROKER_CONFIG:message\.max\.bytes=6000, DYNAMIC_DEFAULT_BROKER_CONFIG:message\.max\.bytes=5000, DEFAULT_CONFIG:message\.max\.bytes=1048588\}/,
    )
    expect(await configs('--describe', '--all', '--entity-type', 'topics', '--entity-name', 'tools')).toMatch(
      /max\.message\.bytes=6000 sensitive=false synonyms=\{DYNAMIC_BROKER_CONFIG/,
    )
    await configs('--alter', ...one, '--delete-config', 'message.max.bytes,log.cleanup.policy')
    await configs('--alter', ...all, '--delete-config', 'message.max.bytes')
    for (const entity of [all, one]) expect(linesOf(await configs('--describe', ...entity))).toHaveLength(1)
    await expect(configs('--alter', ...all, '--add-config', 'log.segment.bytes=100')).rejects.toThrow(
      /Invalid value 100 for configuration log\.segment\.bytes: Value must be at least 1048576/,
    )
  })

  java('kafka-configs reports that a config of a broker is read-only', async () => {
    const broker = ['--entity-type', 'brokers', '--entity-name', '1']
    await expect(configs('--alter', ...broker, '--add-config', 'auto.create.topics.enable=false')).rejects.toThrow(
      /Cannot update these configs dynamically: \[auto\.create\.topics\.enable\]/,
    )
  })

  java('kafka-transactions describes the producers of a partition', async () => {
    expect(await run('TransactionsCommand', 'describe-producers', '--topic', 'tools', '--partition', '0')).toMatch(/ProducerId/)
  })
})
