// The command `lks start`: a production agent on PostgreSQL and an S3 server of others, with two clients, over kill -9 and SIGTERM; and every start that must fail.
import { writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../packages/agent/src/metadata/testing/postgres-server.ts'
import { runProgram } from '../../packages/sim/src/program.ts'
import { expectError, json } from './testing/commands.ts'
import { linesOf, needs } from './testing/programs.ts'
import { sendNumbers } from './testing/sending.ts'
import { anyPorts, lks, portsOf, type ServerProcess, type ServerRun, startServer, temporaryFolder } from './testing/server.ts'
import { othersS3 } from './testing/stores.ts'

describe('a start that must fail', () => {
  const stores = ['--storage', 's3://bucket/prefix', '--metadata', 'postgres://me:secret@127.0.0.1:1/lks']

  test('without a bucket or a database', async () => {
    expectError(await lks(['start']), 'LKS-1005', /lks start needs --storage s3:/, 2)
    expectError(await lks(['start', '--storage', 's3://bucket/prefix']), 'LKS-1005', /lks start needs --metadata postgres:/, 2)
  })

  test('on an address that others reach, without an explicit word; with it the start goes on to the database', async () => {
    expectError(await lks(['start', ...stores, '--listen', '0.0.0.0']), 'LKS-1011', /--allow-unauthenticated/, 2)
    const allowed = await lks(
      ['start', ...anyPorts, ...stores, '--listen', '0.0.0.0', '--allow-unauthenticated', '--advertised', 'localhost:9092'],
      { env: withoutS3 },
    )
    expect(allowed.stderr).toMatch(/\(LKS-3\d\d\d\)/)
    expect(allowed.stderr).not.toContain('secret')
  })

  test('with options of lks dev, or a configuration file that is not there', async () => {
    expectError(await lks(['start', ...stores, '--memory']), 'LKS-1008', /unknown option '--memory'/, 2)
    expectError(await lks(['start', ...stores, '--config', 'none.json']), 'LKS-1007', /none\.json cannot be read/)
  })
})

test('lks config print shows each value of a start with its source, and no password', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'agent.json')
  await writeFile(
    file,
    JSON.stringify({ storage: 's3://bucket/a', metadata: 'postgres://me:secret@db/lks', 'num.partitions': 3, 'kafka.port': 1 }),
  )
  const env = { LKS_KAFKA_PORT: '2', LKS_DATA_PORT: '3', LKS_CONFIG: file }
  interface Printed {
    readonly name: string
    readonly value: string | null
    readonly source: string
    readonly said: string | null
  }
  const { code, stdout, stderr } = await lks(['config', 'print', '-o', 'json', 'start', '--data-port', '4'], { env })
  expect(code, stderr).toBe(0)
  const printed = JSON.parse(stdout) as readonly Printed[]
  const of = (name: string) => printed.find((option) => option.name === name)
  expect(of('data.port')).toEqual({ name: 'data.port', value: '4', source: 'flag', said: '--data-port' })
  expect(of('kafka.port')).toEqual({ name: 'kafka.port', value: '2', source: 'environment', said: 'LKS_KAFKA_PORT' })
  expect(of('num.partitions')).toEqual({ name: 'num.partitions', value: '3', source: 'file', said: `num.partitions in ${file}` })
  expect(of('metadata')?.value).toBe('postgres://me:…@db/lks')
  expect(of('durability')).toEqual({ name: 'durability', value: 'strict', source: 'default', said: null })
  expect(of('agent.name')?.value).toBe(hostname())
  expect(stdout).not.toContain('secret')
})

const s3 = othersS3()
const started = s3 === undefined ? undefined : await startPostgres()

if (s3 === undefined || started?.kind !== 'started') {
  const why = s3 === undefined ? 'LKS_TEST_S3 names no S3 server' : started?.kind === 'cannot run' ? started.why : ''
  test.skipIf(process.env.CI !== 'true')(`a production agent: ${why}`, () => expect.fail(why))
} else {
  const { postgres } = started
  describe('a production agent', () => productionAgent(s3, postgres))
}

function productionAgent({ storage, env }: NonNullable<typeof s3>, postgres: TestPostgres): void {
  let agent: ServerProcess
  const begin = async (run: Pick<ServerRun, 'ports'> = {}): Promise<void> => {
    agent = await startServer({
      command: 'start',
      args: ['--auto-create-topics-enable', 'true'],
      env: { ...env, LKS_STORAGE: storage, LKS_METADATA: postgres.url, LKS_AGENT_NAME: 'blue' },
      ...run,
    })
  }
  const clientOf = (): Kafka =>
    new Kafka({ brokers: [agent.kafka], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 100, retries: 12 } })
  beforeAll(() => begin())
  afterAll(async () => {
    await agent.kill()
    await postgres.stop()
  })

  test('a topic without a retention of its own has that of Kafka: 7 days', async () => {
    const admin = clientOf().admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 1 }] })
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: 'kept', configNames: ['retention.ms'] }],
    })
    expect(resources[0]?.configEntries).toMatchObject([{ configName: 'retention.ms', configValue: '604800000' }])
    await admin.disconnect()
  })

  needs('kcat')(
    'what kafkajs was acknowledged is there once and in order after kill -9 and a restart under the same name; kcat reads it',
    async () => {
      const producer = clientOf().producer({ idempotent: true, maxInFlightRequests: 1 })
      await producer.connect()
      const sending = sendNumbers(producer, 'orders')
      await sending.reached(20)
      await agent.kill()
      // Under its own name, too, it first watches for a whole time-out that its predecessor does not beat.
      await begin({ ports: portsOf(agent) })
      expect(agent.ms).toBeGreaterThanOrEqual(5_000)
      expect(agent.log()).toContain("the agent 'blue' on")
      const before = sending.acknowledged()
      await sending.reached(before + 20)
      await sending.end()
      await producer.disconnect()
      expect(await readByKcat(agent, 'orders')).toEqual(Array.from({ length: sending.acknowledged() }, (_, number) => String(number)))
    },
  )

  needs('kcat')('a record of kcat reaches a group of kafkajs', async () => {
    const consumer = clientOf().consumer({ groupId: 'shipping' })
    await consumer.connect()
    await consumer.subscribe({ topic: 'parcels', fromBeginning: true })
    const arrived = new Promise<string | undefined>((resolve) => {
      void consumer.run({ eachMessage: async ({ message }) => resolve(message.value?.toString()) })
    })
    expect((await runProgram('kcat', ['-b', agent.kafka, '-t', 'parcels', '-P'], { input: 'a parcel\n' })).code).toBe(0)
    expect(await arrived).toBe('a parcel')
    await consumer.disconnect()
  })

  test('on SIGTERM it answers what it has admitted, leaves, and ends with 0; the next start does not wait', async () => {
    const producer = clientOf().producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const sending = sendNumbers(producer, 'drained')
    await sending.reached(10)
    const ended = await agent.stop()
    expect(ended.code, ended.stderr).toBe(0)
    const [{ state } = { state: '' }] = await postgres.query<{ state: string }>(
      'SELECT state FROM lks.incarnations ORDER BY incarnation DESC LIMIT 1',
    )
    expect(state).toBe('fenced')
    await begin({ ports: portsOf(agent) })
    expect(agent.ms).toBeLessThan(5_000)
    await sending.reached(sending.acknowledged() + 10)
    await sending.end()
    await producer.disconnect()
    const cluster = await json<{ readonly brokers: readonly { readonly id: number }[] }>(['cluster', 'info', '-b', agent.kafka])
    const agents = await json<readonly object[]>(['agent', 'list', '--url', agent.urls.control])
    expect(agents).toMatchObject([{ agent: 'blue', brokerId: 1, kafka: agent.kafka, answers: true }])
    // The broker id belongs to the name, over every restart.
    expect(cluster.brokers.map(({ id }) => id)).toEqual([1])
    expect(await readByKafkajs('drained')).toEqual(Array.from({ length: sending.acknowledged() }, (_, number) => String(number)))
  })

  async function readByKafkajs(topic: string): Promise<readonly string[]> {
    const admin = clientOf().admin()
    await admin.connect()
    const [end] = await admin.fetchTopicOffsets(topic)
    await admin.disconnect()
    const consumer = clientOf().consumer({ groupId: `reader of ${topic}` })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    const values: string[] = []
    await new Promise<void>((resolve) => {
      void consumer.run({
        eachMessage: async ({ message }) => {
          values.push(message.value?.toString() ?? '')
          if (Number(message.offset) === Number(end?.high) - 1) resolve()
        },
      })
    })
    await consumer.disconnect()
    return values
  }
}

/** Credentials that no server knows: the start must not get that far. */
const withoutS3 = {
  AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
  AWS_ACCESS_KEY_ID: 'none',
  AWS_SECRET_ACCESS_KEY: 'none',
  AWS_REGION: 'us-east-1',
}

async function readByKcat({ kafka }: ServerProcess, topic: string): Promise<readonly string[]> {
  const { stdout, stderr, code } = await runProgram('kcat', ['-b', kafka, '-t', topic, '-C', '-e', '-q', '-f', '%s\n'])
  expect(code, stderr).toBe(0)
  return linesOf(stdout)
}
