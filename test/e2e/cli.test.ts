// The commands that administer a cluster as a user calls them: processes of their own, against a server of ours and against Apache Kafka itself. It is one thing,
// because both clusters are started once for all commands.
import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runProgram, startProgram } from '../../packages/sim/src/program.ts'
import { lksWords, startCommand } from './testing/client-command.ts'
import { eventually, expectError, json } from './testing/commands.ts'
import { hasKafkaBroker, startKafkaBroker } from './testing/kafka-broker.ts'
import { lks, startServer, temporaryFolder } from './testing/server.ts'

interface ClusterUnderTest extends AsyncDisposable {
  readonly kafka: string
}

const clusters: readonly { readonly name: string; readonly ours: boolean; readonly start: () => Promise<ClusterUnderTest> }[] = [
  { name: 'our server', ours: true, start: () => startServer({ args: ['--memory'] }) },
  ...(hasKafkaBroker() ? [{ name: 'Apache Kafka', ours: false, start: startKafkaBroker }] : []),
]

if (clusters.length === 1) {
  if (process.env.CI === 'true') test('KAFKA_CLASSPATH names a broker', () => expect(hasKafkaBroker()).toBe(true))
  else test.skip('Apache Kafka: named by KAFKA_CLASSPATH', () => {})
}

describe.each(clusters)('on $name', ({ ours, start }) => {
  let cluster: ClusterUnderTest
  let run: { readonly env: Readonly<Record<string, string>> }
  beforeAll(async () => {
    cluster = await start()
    run = { env: { KAFKA_BOOTSTRAP_SERVERS: cluster.kafka } }
  })
  afterAll(() => cluster[Symbol.asyncDispose]())

  async function produce(topic: string, partitions: readonly number[]): Promise<void> {
    // Idempotent, because the client retries a whole request when the leader of one partition of a new topic is not ready yet.
    const producer = new Producer({ clientId: 'test', bootstrapBrokers: [cluster.kafka], serializers: stringSerializers, idempotent: true })
    await producer.send({ messages: partitions.map((partition, at) => ({ topic, partition, key: `k${at}`, value: `v${at}` })) })
    await producer.close()
  }

  /** A member of the group that has read and committed so many records. */
  async function aMember(
    group: string,
    topic: string,
    records: number,
    groupProtocol: 'classic' | 'consumer' = 'classic',
  ): Promise<AsyncDisposable> {
    const consumer = new Consumer({
      clientId: 'an app',
      groupId: group,
      groupProtocol,
      bootstrapBrokers: [cluster.kafka],
      deserializers: stringDeserializers,
    })
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'earliest',
      autocommit: false,
      sessionTimeout: 10_000,
      heartbeatInterval: 500,
    })
    let taken = 0
    for await (const message of stream) {
      await message.commit()
      taken += 1
      if (taken === records) break
    }
    return { [Symbol.asyncDispose]: () => consumer.close(true) }
  }

  test('transactions are listed, described and aborted, and their producers are fenced', async () => {
    await lks(['topic', 'create', 'paid', '-p', '3'], run)
    const producer = new Producer({
      clientId: 'payments',
      bootstrapBrokers: [cluster.kafka],
      serializers: stringSerializers,
      idempotent: true,
      transactionalId: 'payments',
      // Without them it claims producer id 0.
      producerId: -1n,
      producerEpoch: -1,
      // Also the time-out of the transaction, which the commands below must not reach on a busy machine.
      timeout: 60_000,
    })
    const transaction = await producer.beginTransaction()
    await transaction.send({ messages: [2, 0].map((partition) => ({ topic: 'paid', partition, value: 'v' })) })
    const listed = await json<readonly object[]>(['transaction', 'list', '--state', 'Ongoing'], run)
    const coordinator = { id: expect.any(Number), host: expect.any(String), port: expect.any(Number) }
    const topics = [{ topic: 'paid', partitions: [0, 2] }]
    const row = { transactionalId: 'payments', state: 'Ongoing', producerEpoch: 0, startedAt: expect.any(String), coordinator, topics }
    expect(listed).toEqual([expect.objectContaining(row)])
    expect((await lks(['transaction', 'list'], run)).stdout).toMatch(/^payments +Ongoing +\d+ +0 +\S+ +2 +\d+$/m)
    expect((await lks(['transaction', 'list', '--open-for', '1h', '-o', 'name'], run)).stdout).toBe('')
    expect((await lks(['transaction', 'list', '--open-for', '1ms', '-o', 'name'], run)).stdout).toBe('payments\n')
    expect((await lks(['transaction', 'describe', 'payments'], run)).stdout).toMatch(/^paid +0,2$/m)
    expectError(await lks(['transaction', 'describe', 'nothing'], run), 'LKS-4019', /there is no transactional id 'nothing'/)
    expectError(await lks(['transaction', 'abort', 'payments'], run), 'LKS-1008', /confirm with --yes/, 2)
    expect((await lks(['transaction', 'abort', 'payments', '--yes'], run)).stderr).toContain("the transaction of 'payments' is aborted")
    await expect(transaction.commit()).rejects.toThrow()
    expect((await lks(['consume', 'paid', '-e'], run)).stdout).toBe('')
    expectError(await lks(['transaction', 'abort', 'payments', '--yes'], run), 'LKS-4019', /has no open transaction/)
    await producer.close()
  })

  test('a topic is made, listed, described, grown and deleted', async () => {
    const made = await json<readonly { name: string; partitions: number }[]>(
      ['topic', 'create', 'life', 'life-2', '-p', '2', '-c', 'message.timestamp.type=LogAppendTime'],
      run,
    )
    expect(made).toMatchObject([
      { name: 'life', partitions: 2 },
      { name: 'life-2', partitions: 2 },
    ])
    await produce('life', [0, 0, 1])
    const listed = await lks(['topic', 'list'], run)
    expect(listed.stdout).toMatch(/^TOPIC +RECORDS +PARTITIONS +REPLICAS\n/)
    expect(listed.stdout).toMatch(/^life +3 +2 +1$/m)
    expect(listed.stdout).toMatch(/^life-2 +0 +2 +1$/m)
    expect((await lks(['topic', 'list', '-o', 'name'], run)).stdout.split('\n')).toContain('life-2')
    expect((await lks(['topic', 'list', '-o', 'yaml'], run)).stdout).toContain('- name: life\n')
    const [described] = await json<readonly unknown[]>(['topic', 'describe', 'life'], run)
    // The format is that of Kafka's own tools.
    expect(described).toHaveProperty('id', expect.stringMatching(/^[\w-]{22}$/))
    expect(described).toMatchObject({
      name: 'life',
      configs: { 'message.timestamp.type': 'LogAppendTime' },
      partitions: [
        { partition: 0, leader: 1, start: 0, end: 2 },
        { partition: 1, leader: 1, start: 0, end: 1 },
      ],
    })
    expect(await json(['topic', 'add-partitions', 'life', '--add', '3'], run)).toEqual({ name: 'life', before: 2, partitions: 5 })
    expect(await json(['topic', 'add-partitions', 'life', '--to', '6'], run)).toEqual({ name: 'life', before: 5, partitions: 6 })
    expectError(await lks(['topic', 'add-partitions', 'life', '--to', '6'], run), 'LKS-1004', /already has 6 partitions/, 2)
    expectError(await lks(['topic', 'delete-records', 'life', '--before', 'end'], run), 'LKS-1008', /Delete 3 offsets of topic 'life'/, 2)
    expect(await json(['topic', 'delete-records', 'life', '--before', '1', '--partition', '0', '--yes'], run)).toEqual([
      { topic: 'life', partition: 0, deleted: 1, start: 1 },
    ])
    expectError(await lks(['topic', 'delete-records', 'life', '--before', '9', '-p', '0', '-y'], run), 'LKS-4007', /offset/i)
    expect((await lks(['topic', 'delete-records', 'life', '--before', 'end', '--yes'], run)).stdout).toMatch(
      /^PARTITION +DELETED +START\n +0 +1 +2\n +1 +1 +1\n +2 +0 +0\n/,
    )
    expectError(await lks(['topic', 'delete', 'life'], run), 'LKS-1008', /--yes/, 2)
    // One that is not there: nothing is deleted.
    expectError(await lks(['topic', 'delete', 'life', 'no-such-topic', '--yes'], run), 'LKS-4008', /no topic 'no-such-topic'/)
    expect((await lks(['topic', 'describe', 'life'], run)).code).toBe(0)
    expect((await lks(['topic', 'delete', 'life', 'life-2', '--yes'], run)).stdout).toBe('DELETED\nlife\nlife-2\n')
    expectError(await lks(['topic', 'describe', 'life'], run), 'LKS-4008', /no topic 'life'/)
  })

  test('topics are named by patterns', async () => {
    expect((await lks(['topic', 'create', 'pat-1', 'pat-22', 'pattern'], run)).code).toBe(0)
    const names = async (...words: readonly string[]): Promise<readonly string[]> =>
      (await lks(['topic', 'list', ...words, '-o', 'name'], run)).stdout.trimEnd().split('\n')
    expect(await names('pat-*')).toEqual(['pat-1', 'pat-22'])
    expect(await names('pat-?', '/^patt/')).toEqual(['pat-1', 'pattern'])
    expect(await json(['topic', 'describe', 'pat-*'], run)).toMatchObject([{ name: 'pat-1' }, { name: 'pat-22' }])
    for (const topic of ['pat-1', 'pat-22']) await produce(topic, [0])
    expect((await lks(['consume', 'pat-*', '-e', '-o', 'name'], run)).stdout.trimEnd().split('\n').toSorted()).toEqual([
      'pat-1[0]@0',
      'pat-22[0]@0',
    ])
    expectError(await lks(['topic', 'delete', 'nosuch-*', '--yes'], run), 'LKS-4008', /no topic matches 'nosuch-\*'/)
    expect((await lks(['topic', 'delete', '/^pat-\\d+$/', '--yes'], run)).stdout).toBe('DELETED\npat-1\npat-22\n')
    expect(await names('pat*')).toEqual(['pattern'])
  })

  test('records are trimmed by time, by number, and in several partitions', async () => {
    await lks(['topic', 'create', 'trim', '-p', '3'], run)
    await produce('trim', [0, 0, 0, 1, 1, 2])
    expect(await json(['topic', 'trim', 'trim', '--before', '@-1h', '--yes'], run)).toMatchObject([
      { deleted: 0 },
      { deleted: 0 },
      { deleted: 0 },
    ])
    expect(await json(['topic', 'trim', 'trim', '--before', '-1', '-p', '0', '-p', '1', '--yes'], run)).toEqual([
      { topic: 'trim', partition: 0, deleted: 2, start: 2 },
      { topic: 'trim', partition: 1, deleted: 1, start: 1 },
    ])
    expect(await json(['topic', 'trim', 'trim', '--before', '@2100-01-01', '--yes'], run)).toMatchObject([
      { start: 3 },
      { start: 2 },
      { start: 1 },
    ])
    expectError(await lks(['topic', 'trim', 'trim', '--before', 'end', '-p', '3', '-y'], run), 'LKS-4008', /no partition 3/)
    expectError(await lks(['topic', 'trim', 'trim', '--before', '+3', '-y'], run), 'LKS-1004', /--before/, 2)
  })

  test('records of an open transaction are only seen with read_uncommitted', async () => {
    await lks(['topic', 'create', 'pending'], run)
    const { Kafka, logLevel } = await import('kafkajs')
    const producer = new Kafka({ brokers: [cluster.kafka], logLevel: logLevel.NOTHING }).producer({
      transactionalId: 'pending-1',
      maxInFlightRequests: 1,
      idempotent: true,
    })
    await producer.connect()
    const transaction = await producer.transaction()
    await transaction.send({ topic: 'pending', messages: [{ value: 'a' }] })
    expect((await lks(['consume', 'pending', '-e'], run)).stdout).toBe('')
    const uncommitted = ['--isolation-level', 'read_uncommitted']
    expect((await lks(['consume', 'pending', '-e', ...uncommitted], run)).stdout).toBe('a\n')
    expect((await lks(['query', 'pending', ...uncommitted, '-o', 'name'], run)).stdout).toBe('pending[0]@0\n')
    await transaction.abort()
    await producer.disconnect()
    expect((await lks(['consume', 'pending', '-e'], run)).stdout).toBe('')
    expect((await lks(['consume', 'pending', '-e', ...uncommitted], run)).stdout).toBe('a\n')
  })

  test('the metadata of a cluster is shown as kcat -L does', async () => {
    await lks(['topic', 'create', 'inventory', '-p', '2'], run)
    expect(await json(['metadata', 'inventory'], run)).toMatchObject({
      brokers: [{ id: 1 }],
      topics: [{ name: 'inventory', partitions: [{ partition: 0, leader: 1, replicas: [1], isr: [1] }, { partition: 1 }] }],
    })
    const shown = await lks(['metadata'], run)
    expect(shown.stdout).toMatch(/^BROKER +ADDRESS +RACK +CONTROLLER\n +1 /m)
    expect(shown.stdout).toMatch(/^inventory +1 +1 +1 +1$/m)
    expectError(await lks(['metadata', 'nosuch'], run), 'LKS-4008', /no topic 'nosuch'/)
  })

  test('several topics: the valid ones are created, and the others are reported', async () => {
    expect((await lks(['topic', 'create', 'taken'], run)).code).toBe(0)
    const some = await lks(['topic', 'create', 'free', 'taken', 'no/name'], run)
    expectError({ ...some, stdout: '' }, 'LKS-4007', /2 of 3 failed/)
    expect(some.stdout).toMatch(/^free +\d+ +1$/m)
    expectError(await lks(['topic', 'create', 'taken'], run), 'LKS-4010', /already exists/)
    expect(await lks(['topic', 'create', 'taken', '--if-not-exists'], run)).toMatchObject({ code: 0, stdout: '' })
    expectError(await lks(['topic', 'create', 'x', '-c', 'no.such.config=1'], run), 'LKS-4007', /no\.such\.config/)
  })

  test('N13: what exists is shown beside what does not; deleting what is not there proposes nothing to make', async () => {
    expect((await lks(['topic', 'create', 'here', 'here-2'], run)).code).toBe(0)
    const described = await lks(['topic', 'describe', 'here', 'nowhere', 'here-2'], run)
    expectError({ ...described, stdout: '' }, 'LKS-4008', /no topic 'nowhere'/)
    expect(described.stdout).toMatch(/^Topic +here\n[^]*^Topic +here-2\n/m)
    const inJson = await lks(['topic', 'describe', 'nowhere', 'here', '-o', 'json'], run)
    expect(inJson.code).toBe(1)
    expect(JSON.parse(inJson.stdout)).toMatchObject([{ name: 'here' }])
    const gone = await lks(['topic', 'delete', 'nowhere', 'here', 'nowhere-2', '--yes'], run)
    expectError(gone, 'LKS-4008', /no topics 'nowhere', 'nowhere-2'/)
    expect(gone.stderr).not.toContain('topic create')
    expect((await lks(['topic', 'describe', 'here'], run)).code).toBe(0)
  })

  test('N13: so are groups and configs', async () => {
    await lks(['topic', 'create', 'grouped'], run)
    const config = await lks(['config', 'describe', 'topic', 'grouped', 'retention.ms', 'no.such.config'], run)
    expectError({ ...config, stdout: '' }, 'LKS-4007', /does not have the config 'no\.such\.config'/)
    expect(config.stdout).toMatch(/^retention\.ms /m)

    await produce('grouped', [0])
    await using _member = await aMember('here-group', 'grouped', 1)
    for (const command of ['describe', 'lag']) {
      const groups = await lks(['group', command, 'here-group', 'no-such-group'], run)
      expectError({ ...groups, stdout: '' }, 'LKS-4009', /no group 'no-such-group'/)
      expect(groups.stdout).toContain('here-group')
    }
  })

  test('configs say where they come from', async () => {
    await lks(['topic', 'create', 'configured', '-c', 'max.message.bytes=2000'], run)
    const set = await json<readonly unknown[]>(['config', 'describe', 'topic', 'configured'], run)
    expect(set).toContainEqual(expect.objectContaining({ name: 'max.message.bytes', value: '2000', source: 'topic' }))
    const all = await json<readonly { name: string }[]>(['config', 'describe', 'topic', 'configured', '--all'], run)
    expect(all.length).toBeGreaterThan(set.length)
    expect((await lks(['config', 'describe', 'broker', '1'], run)).stdout).toMatch(/^node\.id +broker file +1$/m)
    expectError(await lks(['config', 'describe', 'broker', '7'], run), 'LKS-4007', /no broker 7/)
    expectError(
      await lks(['config', 'describe', 'topic', 'configured', 'retention.mz'], run),
      'LKS-4007',
      /does not have the config 'retention\.mz'/,
    )
    expectError(await lks(['config', 'describe', 'queue', 'x'], run), 'LKS-1004', /'queue' is not a valid kind/, 2)
  })

  test('configs are changed where the cluster serves that, and elsewhere it is said', async () => {
    await lks(['topic', 'create', 'altered'], run)
    const altered = await lks(['topic', 'alter', 'altered', '-c', 'max.message.bytes=3000'], run)
    const { stdout: apis } = await lks(['cluster', 'info', '--apis', '-o', 'json'], run)
    if (!apis.includes('IncrementalAlterConfigs')) {
      expect(ours).toBe(true)
      expectError(altered, 'LKS-4006', /configs cannot be changed on this cluster/)
      return
    }
    expect(altered.stdout).toMatch(/^max\.message\.bytes +topic +3000$/m)
    expect((await lks(['config', 'set', 'topic', 'altered', '--unset', 'max.message.bytes'], run)).stdout).toMatch(
      /^max\.message\.bytes +default +1048588$/m,
    )
    expectError(await lks(['topic', 'alter', 'altered', '-c', 'max.message.bytes=many'], run), 'LKS-4007', /max\.message\.bytes/)
    await lks(['topic', 'create', 'altered-too'], run)
    const both = await lks(['topic', 'alter', 'altered*', '-c', 'max.message.bytes=4000'], run)
    expect(both.stdout).toMatch(/^altered +max\.message\.bytes +topic +4000\naltered-too +max\.message\.bytes +topic +4000$/m)
    expectError(await lks(['topic', 'alter', 'altered', 'no-such-topic', '-c', 'max.message.bytes=5000'], run), 'LKS-4008', /no-such-topic/)
    const json = await lks(['config', 'set', 'topic', 'altered*', 'retention.ms=5000', '-o', 'json'], run)
    expect(JSON.parse(json.stdout)).toEqual(
      ['altered', 'altered-too'].map((topic) => ({ topic, name: 'retention.ms', value: '5000', source: 'topic' })),
    )
    expect((await lks(['config', 'describe', 'topic', 'altered', 'max.message.bytes'], run)).stdout).toMatch(/topic +4000$/m)
  })

  test('a group is described while it is active, sought when it is not, and deleted', async () => {
    await lks(['topic', 'create', 'read', '-p', '3'], run)
    await produce('read', [0, 0, 1])
    const group = 'readers-of-"read"-Ä'
    {
      await using _member = await aMember(group, 'read', 3)
      await produce('read', [0])
      const [described] = await json<readonly Record<string, unknown>[]>(['group', 'describe', group], run)
      expect(described).toMatchObject({ group, state: 'Stable', type: 'classic', lag: 1 })
      expect(described?.members).toMatchObject([
        { clientId: 'an app', assignment: [{ topic: 'read', partition: 0 }, { partition: 1 }, { partition: 2 }] },
      ])
      expect(described?.partitions).toMatchObject([
        { partition: 0, committed: 2, end: 3, lag: 1 },
        { partition: 1, committed: 1, end: 1, lag: 0 },
        { partition: 2, committed: null, end: 0, lag: 0 },
      ])
      const all = await json<readonly Record<string, unknown>[]>(['group', 'describe'], run)
      expect(all.find((one) => one['group'] === group)).toEqual(described)
      const table = await lks(['group', 'describe', group], run)
      expect(table.stdout).toMatch(/^Total lag +1$/m)
      expect(table.stdout).toMatch(/^read +0 +2 +3 +1 +an app +127\.0\.0\.1$/m)
      expect(table.stdout).toMatch(/read\[0-2\]$/m)
      expectError(await lks(['group', 'seek', group, '--to', 'start', '--yes'], run), 'LKS-4011', /1 active member/)
      expectError(await lks(['group', 'delete', group, '--yes'], run), 'LKS-4011', /NON_EMPTY_GROUP/)
    }
    await expect.poll(async () => (await lks(['group', 'list'], run)).stdout, eventually).toMatch(/Ä +Empty +classic/)
    expect(await json(['group', 'lag', group], run)).toMatchObject([{ group, lag: 1, topics: [{ topic: 'read', lag: 1 }] }])

    const preview = await lks(['group', 'seek', group, '--to', 'start'], run)
    expect(preview.stdout).toMatch(/^read +0 +2 +0 +-2 +3$/m)
    expect(preview.stderr).toContain('nothing was changed')
    expect(await json(['group', 'lag', group], run)).toMatchObject([{ lag: 1 }])
    const seek = async (...words: readonly string[]): Promise<unknown> =>
      (await json<{ readonly partitions: unknown }>(['group', 'seek', group, ...words, '--yes'], run)).partitions
    expect(await seek('--to', '-1')).toMatchObject([
      { from: 2, to: 1 },
      { from: 1, to: 0 },
    ])
    expect(await seek('--to', 'end')).toMatchObject([
      { from: 1, to: 3 },
      { from: 0, to: 1 },
      { from: null, to: 0 },
    ])
    expect(await seek('--to', '1', '--topics', 'read:0,2')).toMatchObject([
      { partition: 0, to: 1 },
      { partition: 2, from: 0, to: 0 },
    ])
    expect(await seek('--to', '@2020-01-01', '--topics', 'read:1')).toMatchObject([{ partition: 1, to: 0 }])
    expect(await seek('--to', '@2100-01-01T00:00:00Z', '--topics', 'read:1')).toMatchObject([{ partition: 1, to: 1 }])
    expect(await json(['group', 'lag', group], run)).toMatchObject([{ lag: 2 }])
    expectError(await lks(['group', 'seek', group, '--to', 'start', '--topics', 'read:7'], run), 'LKS-4008', /no partition 7/)
    expectError(await lks(['group', 'seek', group, '--to', 'start', '--topics', 'nowhere'], run), 'LKS-4008', /no topic 'nowhere'/)
    expectError(await lks(['group', 'seek', group], run), 'LKS-1008', /--to/, 2)
    expectError(await lks(['group', 'seek', 'missing', '--to', 'start'], run), 'LKS-4009', /no group 'missing'/)

    expect((await lks(['group', 'delete', group, '--yes'], run)).code).toBe(0)
    expectError(await lks(['group', 'describe', group], run), 'LKS-4009', /no group/)
    expectError(await lks(['group', 'lag', group], run), 'LKS-4009', /no group/)
  })

  test('N7: what is unread in a partition that was never committed counts, and seek moves that partition too', async () => {
    await lks(['topic', 'create', 'partly', '-p', '3'], run)
    await produce('partly', [0, 0, 1, 2, 2, 2])
    await lks(['group', 'seek', 'partly-group', '--to', '1', '--topics', 'partly:0,1', '--yes'], run)
    expect(await json(['group', 'lag', 'partly-group'], run)).toMatchObject([{ lag: 4, topics: [{ partitions: 3, lag: 4, unknown: 0 }] }])
    expect((await lks(['group', 'describe', 'partly-group'], run)).stdout).toMatch(/^partly +2 +- +3 +3 /m)
    expect(await json(['group', 'seek', 'partly-group', '--to=-1'], run)).toMatchObject({
      partitions: [{ partition: 0 }, { partition: 1 }],
    })
    await lks(['group', 'seek', 'partly-group', '--to', 'end', '--yes'], run)
    expect(await json(['group', 'lag', 'partly-group'], run)).toMatchObject([{ lag: 0 }])
  })

  test('offsets are saved in a file, set from it, and copied to another group', async () => {
    await lks(['topic', 'create', 'saved', '-p', '2'], run)
    await produce('saved', [0, 0, 0, 1])
    await lks(['group', 'seek', 'saver', '--to', '1', '--topics', 'saved', '--yes'], run)
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'offsets.csv')
    const saving = await lks(['group', 'seek', 'saver', '--save', file], run)
    expect(saving).toMatchObject({ code: 0, stderr: expect.stringContaining('2 partitions') })
    expect(await readFile(file, 'utf8')).toBe('saved,0,1\nsaved,1,1\n')
    await lks(['group', 'seek', 'saver', '--to', 'start', '--yes'], run)
    expect(await json(['group', 'seek', 'saver', '--from-file', file], run)).toMatchObject({
      applied: false,
      partitions: [{ to: 1 }, { to: 1 }],
    })
    expect(await json(['group', 'seek', 'saver', '--from-file', file, '--yes'], run)).toMatchObject({ applied: true })
    expect(await json(['group', 'lag', 'saver'], run)).toMatchObject([{ lag: 2 }])
    expect(await json(['group', 'seek', 'copier', '--from-group', 'saver', '--topics', 'saved:0', '--yes'], run)).toMatchObject({
      partitions: [{ topic: 'saved', partition: 0, from: null, to: 1 }],
    })
    await writeFile(file, 'saved,7,1\n')
    expectError(await lks(['group', 'seek', 'saver', '--from-file', file], run), 'LKS-4008', /no partition 7/)
    await writeFile(file, 'saved 0\n')
    expectError(await lks(['group', 'seek', 'saver', '--from-file', file], run), 'LKS-1004', /line 1/, 2)
    expectError(await lks(['group', 'seek', 'saver', '--from-group', 'missing'], run), 'LKS-4009', /no group 'missing'/)
    expectError(await lks(['group', 'seek', 'saver', '--to', 'end', '--from-file', file], run), 'LKS-1005', /exclude/, 2)
  })

  test('committed offsets are deleted, but not those of topics that members consume', async () => {
    await lks(['topic', 'create', 'kept', 'dropped', '-p', '2'], run)
    await produce('kept', [0])
    await produce('dropped', [0])
    await lks(['group', 'seek', 'forgetful', '--to', 'end', '--topics', 'kept,dropped', '--yes'], run)
    expectError(await lks(['group', 'delete-offsets', 'forgetful', '--topics', 'dropped'], run), 'LKS-1008', /--yes/, 2)
    expect(await json(['group', 'delete-offsets', 'forgetful', '--topics', 'dropped:0', '--yes'], run)).toEqual([
      { group: 'forgetful', topic: 'dropped', partition: 0, deleted: 1 },
    ])
    expect((await lks(['group', 'delete-offsets', 'forgetful', '--topics', 'dropped', '--yes', '-o', 'name'], run)).stdout).toBe(
      'dropped[1]\n',
    )
    const [described] = await json<readonly { readonly topics: readonly unknown[] }[]>(['group', 'describe', 'forgetful'], run)
    expect(described?.topics).toMatchObject([{ topic: 'kept' }])
    expectError(await lks(['group', 'delete-offsets', 'missing', '--topics', 'kept', '--yes'], run), 'LKS-4009', /no group/)
    await using _member = await aMember('forgetful-2', 'kept', 1)
    expectError(await lks(['group', 'delete-offsets', 'forgetful-2', '--topics', 'kept', '--yes'], run), 'LKS-4011', /consume topic 'kept'/)
  })

  test('a load is measured, and its topic is gone afterwards', async () => {
    const bench = await lks(['bench', '--duration', '1s', '--size', '100', '-p', '2', '--producers', '2', '-o', 'json'], run)
    expect(bench).toMatchObject({ code: 0, stderr: '' })
    const result = JSON.parse(bench.stdout) as {
      readonly topic: string
      readonly produced: { readonly records: number }
      readonly consumed: object
    }
    expect(result.produced.records).toBeGreaterThan(0)
    expect(result).toMatchObject({
      partitions: 2,
      produced: { latency: { p50Ms: expect.any(Number), maxMs: expect.any(Number) } },
      consumed: { records: result.produced.records, endToEnd: { count: result.produced.records } },
    })
    expect((await lks(['topic', 'list', '-o', 'name'], run)).stdout).not.toContain(result.topic)
  })

  test('a group is given a place before its first member comes, which then begins there', async () => {
    await lks(['topic', 'create', 'prepared'], run)
    await produce('prepared', [0, 0, 0])
    expect(await json(['group', 'seek', 'early', '--to', '2', '--topics', 'prepared', '--yes'], run)).toMatchObject({
      applied: true,
      partitions: [{ from: null, to: 2 }],
    })
    const consumer = new Consumer({
      clientId: 'late',
      groupId: 'early',
      bootstrapBrokers: [cluster.kafka],
      deserializers: stringDeserializers,
    })
    const stream = await consumer.consume({ topics: ['prepared'], mode: 'committed', fallbackMode: 'fail' })
    for await (const message of stream) {
      expect(message.value).toBe('v2')
      break
    }
    await consumer.close(true)
  })

  test.skipIf(ours)('a group of the newer protocol is described, too', async () => {
    await lks(['topic', 'create', 'newer', '-p', '2'], run)
    await produce('newer', [0, 1])
    await using _member = await aMember('newer-group', 'newer', 2, 'consumer')
    const [described] = await json<readonly unknown[]>(['group', 'describe', 'newer-group'], run)
    expect(described).toMatchObject({
      state: 'Stable',
      type: 'consumer',
      lag: 0,
      members: [{ assignment: [{ partition: 0 }, { partition: 1 }] }],
    })
    expectError(await lks(['group', 'seek', 'newer-group', '--to', 'start', '--yes'], run), 'LKS-4011', /active member/)
  })

  test('the cluster says what it is, and is well', async () => {
    const info = await json<Record<string, unknown>>(['cluster', 'info'], run)
    expect(info).toMatchObject({ clusterId: expect.any(String), brokers: [{ id: 1 }], controllerId: 1 })
    expect((await lks(['cluster', 'info', '--apis'], run)).stdout).toMatch(/^ *18 +ApiVersions +0-4$/m)
    expect(await json(['cluster', 'health'], run)).toMatchObject({ healthy: true, problems: [] })
  })

  test('a doctor finds nothing', async () => {
    const { stdout, code } = await lks(['doctor', 'connect', cluster.kafka])
    expect(stdout).toMatch(/^ok +broker 1 +[\w.]+:\d+ is advertised and answers$/m)
    expect(code).toBe(0)
  })

  test('group lag --watch looks again and again, and ends well at Ctrl-C', async () => {
    await using watching = startCommand(cluster.kafka, ['group', 'lag', '--watch', '--every', '50ms', '-o', 'json'])
    await watching.until(() => watching.lines.length > 2)
    expect(await watching.kill('SIGINT')).toMatchObject({ code: 0, signal: null })
  })

  test('bash completes commands, topics and groups', async () => {
    await lks(['topic', 'create', 'completed.topic'], run)
    // Completion returns nothing if the cluster is too slow, so try again until it is fast enough.
    const offered = (line: string, of: Parameters<typeof lks>[1]): Promise<void> =>
      expect.poll(async () => (await lks(['__complete', line], of)).stdout, eventually).toBe('completed.topic\n')
    await offered('lks topic describe completed', run)
    await offered(`lks topic describe -b ${cluster.kafka} completed`, {})
    await using folder = await temporaryFolder()
    const command = lksWords.map((word) => `'${word}'`).join(' ')
    await writeFile(join(folder.path, 'lks'), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 })
    const script = `source <(lks completion bash); COMP_LINE='lks topic describe completed'; COMP_POINT=\${#COMP_LINE}; COMP_WORDS=(lks topic describe completed); COMP_CWORD=3; _lks; printf '%s\\n' "\${COMPREPLY[@]}"`
    const env = { ...process.env, ...run.env, PATH: `${folder.path}:${process.env.PATH}` }
    const pressed = async (): Promise<string> => (await runProgram('bash', ['-c', script], { env })).stdout
    await expect.poll(pressed, eventually).toBe('completed.topic\n')
  })

  test.skipIf(process.platform !== 'linux')('a full disk is said in words', async () => {
    const full = await open('/dev/full', 'w')
    const [program, ...words] = lksWords
    const info = startProgram(program, [...words, 'cluster', 'info', '-b', cluster.kafka], { stdout: full.fd })
    const end = await info.ended
    await full.close()
    expectError(end, 'LKS-1010', /no space left/)
  })

  test('a reader that leaves ends it quietly', async () => {
    const info = startCommand(cluster.kafka, ['cluster', 'info', '--apis', '-o', 'json'])
    await info.closeStdout()
    expect(await info.ended).toMatchObject({ code: 0, signal: null, stderr: '' })
  })
})
