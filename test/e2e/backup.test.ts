// A backup of docs/operations.md is restored: pg_dump of the schema, and the versions of the objects that were deleted since.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { startS3Server } from '../../packages/agent/src/objects/testing/s3-server.ts'
import { runProgram } from '../../packages/sim/src/program.ts'
import { postgresBin, startKillablePostgres } from '../chaos/killable-postgres.ts'
import { becomes, groupOf, topicValues } from './testing/http.ts'
import { lks, type ServerProcess, startServer, temporaryFolder } from './testing/server.ts'

const bin = postgresBin()
if (bin === undefined) test.skipIf(process.env['CI'] !== 'true')('backup: PostgreSQL is installed', () => expect.fail('it is not'))
else
  test('a restored backup has what was committed before it, says which object is missing, and removes none that it does not know', async () => {
    await using postgres = await startKillablePostgres()
    await using folder = await temporaryFolder()
    const start = (objects: ReadonlyMap<string, Buffer>): Promise<Cluster> => startCluster(postgres.url(), objects)
    const psql = (...args: readonly string[]) => runProgram(join(bin, 'psql'), ['-qX', '-v', 'ON_ERROR_STOP=1', postgres.url(), ...args])

    const dump = join(folder.path, 'lks.sql')
    const before = await (async () => {
      await using cluster = await start(new Map())
      await cluster.send('orders', ['1', '2', '3'])
      await cluster.send('audit', ['a'])
      await cluster.commit('readers', 'orders', 2)
      await runProgram(join(bin, 'pg_dump'), ['--schema=lks', `--file=${dump}`, postgres.url()])
      const atBackup = cluster.objects()
      // More flushes than a crash leaves uncommitted, each of one request.
      for (let number = 0; number < 80; number += 1) await cluster.send('orders', [`lost ${number}`])
      await cluster.send('later', ['lost'])
      await cluster.commit('readers', 'orders', 5)
      await cluster.stop()
      return { atBackup, atEnd: cluster.objects() }
    })()
    expect((await readFile(dump, 'utf8')).length).toBeGreaterThan(1_000)
    await psql('-c', 'DROP SCHEMA lks CASCADE')
    await psql('-f', dump)

    // An object that the backup names was deleted since, as after a merge; its version is not brought back yet.
    const [deleted = ''] = [...before.atBackup.keys()].filter((key) => key.endsWith('/000000000001'))
    {
      await using cluster = await start(new Map([...before.atEnd].filter(([key]) => key !== deleted)))
      // A record of another object is there.
      expect(await topicValues(cluster.agent, 'audit', 0)).toEqual(['a'])
      const { stdout, stderr } = await cluster.lks('sweep', '--dry-run')
      expect(stdout).not.toContain(deleted)
      expect(stderr).toContain(`the store does not have 1 object that segments name, such as ${deleted.slice('cluster/'.length)}`)
      await cluster.stop()
    }

    await using cluster = await start(new Map([...before.atBackup, ...before.atEnd]))
    expect(await topicValues(cluster.agent, 'orders', 0)).toEqual(['1', '2', '3'])
    expect(await topicValues(cluster.agent, 'audit', 0)).toEqual(['a'])
    expect((await cluster.topics()).toSorted()).toEqual(['audit', 'orders'])
    expect(await groupOf(cluster.agent, 'readers')).toMatchObject({ partitions: [{ topic: 'orders', offset: 2 }] })
    await cluster.send('orders', ['4'])
    await becomes(() => topicValues(cluster.agent, 'orders', 0), ['1', '2', '3', '4'])
    const sweep = await cluster.lks('sweep', '--now')
    expect(sweep.stderr).toContain('the sweep has halted')
    expect(sweep.stderr).not.toContain('the store does not have')
    await cluster.stop()
    for (const key of before.atEnd.keys()) expect(cluster.objects().has(key), key).toBe(true)
  }, 120_000)

interface Cluster extends AsyncDisposable {
  readonly agent: ServerProcess
  objects(): ReadonlyMap<string, Buffer>
  topics(): Promise<readonly string[]>
  send(topic: string, values: readonly string[]): Promise<void>
  commit(group: string, topic: string, offset: number): Promise<void>
  lks(...args: readonly string[]): ReturnType<typeof lks>
  stop(): Promise<void>
}

async function startCluster(metadata: string, objects: ReadonlyMap<string, Buffer>): Promise<Cluster> {
  await using stack = new AsyncDisposableStack()
  const s3 = stack.use(await startS3Server({ objects }))
  const env = {
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
    LKS_STORAGE: `s3://${s3.bucket}/cluster`,
    LKS_METADATA: metadata,
  }
  const agent = stack.use(await startServer({ command: 'start', args: ['--auto-create-topics-enable', 'true'], env }))
  const kafka = new Kafka({ brokers: [agent.kafka], logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  for (const one of [admin, producer]) {
    await one.connect()
    stack.defer(() => one.disconnect())
  }
  const owned = stack.move()
  return {
    agent,
    objects: () => new Map(s3.objects),
    topics: () => admin.listTopics(),
    async send(topic, values) {
      await producer.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) })
    },
    commit: (groupId, topic, offset) => admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: String(offset) }] }),
    lks: (...args) => lks([...args, '--url', agent.urls.control]),
    async stop() {
      const { code, stderr } = await agent.stop()
      expect(code, stderr).toBe(0)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
