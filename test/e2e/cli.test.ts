// The commands of lks as a user calls them: processes of their own, against a server of ours and against Apache Kafka itself.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer as createHttp } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createServer as createTls } from 'node:tls'
import { Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasKafkaBroker, startKafkaBroker } from './testing/kafka-broker.ts'
import { type Ended, lks, type Run, repository, type ServerProcess, startServer, temporaryFolder } from './testing/server.ts'

const patiently = { interval: 100, timeout: 30_000 }

/** What a command said as JSON; fails with what it said otherwise. */
async function json<T>(args: readonly string[], run: Omit<Run, 'args'> = {}): Promise<T> {
  const ended = await lks([...args, '-o', 'json'], run)
  expect(ended).toMatchObject({ code: 0 })
  return JSON.parse(ended.stdout) as T
}

function expectRefusal({ code, stdout, stderr }: Ended, lksCode: string, words: RegExp, exitCode = 1): void {
  expect(stderr).toMatch(new RegExp(`^error: .*\\(${lksCode}\\)$`, 'm'))
  expect(stderr).toMatch(words)
  expect(stderr).toMatch(/^ {2}fix: \S/m)
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(`${stdout}${stderr}`).not.toContain('PLT_KFK')
  expect(code).toBe(exitCode)
}

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
    const producer = new Producer({ clientId: 'test', bootstrapBrokers: [cluster.kafka], serializers: stringSerializers })
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
    expect(listed.stdout).toMatch(/^TOPIC +PARTITIONS +REPLICAS\n/)
    expect(listed.stdout).toMatch(/^life +2 +1$/m)
    expect((await lks(['topic', 'list', '-o', 'name'], run)).stdout.split('\n')).toContain('life-2')
    expect((await lks(['topic', 'list', '-o', 'yaml'], run)).stdout).toContain('- name: life\n')
    const [described] = await json<readonly unknown[]>(['topic', 'describe', 'life'], run)
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
    expectRefusal(await lks(['topic', 'add-partitions', 'life', '--to', '6'], run), 'LKS-1004', /has 6 partitions already/, 2)
    expectRefusal(await lks(['topic', 'delete', 'life'], run), 'LKS-1008', /--yes/, 2)
    // One that is not there: nothing is deleted.
    expectRefusal(await lks(['topic', 'delete', 'life', 'no-such-topic', '--yes'], run), 'LKS-4008', /no topic 'no-such-topic'/)
    expect((await lks(['topic', 'describe', 'life'], run)).code).toBe(0)
    expect((await lks(['topic', 'delete', 'life', 'life-2', '--yes'], run)).stdout).toBe('DELETED\nlife\nlife-2\n')
    expectRefusal(await lks(['topic', 'describe', 'life'], run), 'LKS-4008', /no topic 'life'/)
  })

  test('of several topics those that can be made are made, and the others are told', async () => {
    expect((await lks(['topic', 'create', 'taken'], run)).code).toBe(0)
    const some = await lks(['topic', 'create', 'free', 'taken', 'no/name'], run)
    expectRefusal({ ...some, stdout: '' }, 'LKS-4007', /2 of 3 failed/)
    expect(some.stdout).toMatch(/^free +\d+ +1$/m)
    expectRefusal(await lks(['topic', 'create', 'taken'], run), 'LKS-4010', /already exists/)
    expect(await lks(['topic', 'create', 'taken', '--if-not-exists'], run)).toMatchObject({ code: 0, stdout: '' })
    expectRefusal(await lks(['topic', 'create', 'x', '-c', 'no.such.config=1'], run), 'LKS-4007', /no\.such\.config/)
  })

  test('configs say where they come from', async () => {
    await lks(['topic', 'create', 'configured', '-c', 'max.message.bytes=2000'], run)
    const set = await json<readonly unknown[]>(['config', 'describe', 'topic', 'configured'], run)
    expect(set).toContainEqual(expect.objectContaining({ name: 'max.message.bytes', value: '2000', source: 'topic' }))
    const all = await json<readonly { name: string }[]>(['config', 'describe', 'topic', 'configured', '--all'], run)
    expect(all.length).toBeGreaterThan(set.length)
    expect((await lks(['config', 'describe', 'broker', '1'], run)).stdout).toMatch(/^node\.id +1 +broker file$/m)
    expectRefusal(await lks(['config', 'describe', 'broker', '7'], run), 'LKS-4007', /no broker 7/)
    expectRefusal(await lks(['config', 'describe', 'topic', 'configured', 'retention.mz'], run), 'LKS-4007', /no config 'retention\.mz'/)
    expectRefusal(await lks(['config', 'describe', 'queue', 'x'], run), 'LKS-1004', /not of 'queue'/, 2)
  })

  test('configs are changed where the cluster serves that, and elsewhere it is said', async () => {
    await lks(['topic', 'create', 'altered'], run)
    const altered = await lks(['topic', 'alter', 'altered', '-c', 'max.message.bytes=3000'], run)
    const { stdout: apis } = await lks(['cluster', 'info', '--apis', '-o', 'json'], run)
    if (!apis.includes('IncrementalAlterConfigs')) {
      expect(ours).toBe(true)
      expectRefusal(altered, 'LKS-4006', /configs cannot be changed on this cluster/)
      return
    }
    expect(altered.stdout).toMatch(/^max\.message\.bytes +3000 +topic$/m)
    expect((await lks(['config', 'set', 'topic', 'altered', '--unset', 'max.message.bytes'], run)).stdout).toMatch(
      /^max\.message\.bytes +1048588 +default$/m,
    )
    expectRefusal(await lks(['topic', 'alter', 'altered', '-c', 'max.message.bytes=many'], run), 'LKS-4007', /max\.message\.bytes/)
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
      const table = await lks(['group', 'describe', group], run)
      expect(table.stdout).toMatch(/^Total lag +1$/m)
      expect(table.stdout).toMatch(/^read +0 +2 +3 +1 +an app +127\.0\.0\.1$/m)
      expect(table.stdout).toMatch(/read\[0-2\]$/m)
      expectRefusal(await lks(['group', 'seek', group, '--to', 'start', '--yes'], run), 'LKS-4011', /1 active member/)
      expectRefusal(await lks(['group', 'delete', group, '--yes'], run), 'LKS-4011', /NON_EMPTY_GROUP/)
    }
    await expect.poll(async () => (await lks(['group', 'list'], run)).stdout, patiently).toMatch(/Ä +Empty +classic/)
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
    ])
    expect(await seek('--to', '1', '--topics', 'read:0,2')).toMatchObject([
      { partition: 0, to: 1 },
      { partition: 2, from: null, to: 0 },
    ])
    expect(await seek('--to', '@2020-01-01', '--topics', 'read:1')).toMatchObject([{ partition: 1, to: 0 }])
    expect(await seek('--to', '@2100-01-01T00:00:00Z', '--topics', 'read:1')).toMatchObject([{ partition: 1, to: 1 }])
    expect(await json(['group', 'lag', group], run)).toMatchObject([{ lag: 2 }])
    expectRefusal(await lks(['group', 'seek', group, '--to', 'start', '--topics', 'read:7'], run), 'LKS-4008', /no partition 7/)
    expectRefusal(await lks(['group', 'seek', group, '--to', 'start', '--topics', 'nowhere'], run), 'LKS-4008', /no topic 'nowhere'/)
    expectRefusal(await lks(['group', 'seek', group], run), 'LKS-1008', /--to/, 2)
    expectRefusal(await lks(['group', 'seek', 'nobody', '--to', 'start'], run), 'LKS-4009', /no group 'nobody'/)

    expect((await lks(['group', 'delete', group, '--yes'], run)).code).toBe(0)
    expectRefusal(await lks(['group', 'describe', group], run), 'LKS-4009', /no group/)
    expectRefusal(await lks(['group', 'lag', group], run), 'LKS-4009', /no group/)
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
    expectRefusal(await lks(['group', 'seek', 'newer-group', '--to', 'start', '--yes'], run), 'LKS-4011', /active member/)
  })

  test('the cluster says what it is, and is well', async () => {
    const info = await json<Record<string, unknown>>(['cluster', 'info'], run)
    expect(info).toMatchObject({ clusterId: expect.any(String), brokers: [{ id: 1 }], controllerId: 1 })
    expect((await lks(['cluster', 'info', '--apis'], run)).stdout).toMatch(/^ *18 +ApiVersions +0-4$/m)
    expect(await json(['cluster', 'health'], run)).toMatchObject({ healthy: true, troubles: [] })
  })

  test('a doctor finds nothing', async () => {
    const { stdout, code } = await lks(['doctor', 'connect', cluster.kafka])
    expect(stdout).toMatch(/^ok +broker 1 +[\w.]+:\d+ is advertised, and answers$/m)
    expect(code).toBe(0)
  })

  test('group lag --watch looks again and again, and ends well at Ctrl-C', async () => {
    const child = spawn(process.execPath, [...program, 'group', 'lag', '--watch', '--every', '50ms', '-o', 'json'], {
      env: { ...process.env, ...run.env },
    })
    let lines = 0
    child.stdout.setEncoding('utf8').on('data', (text: string) => (lines += text.split('\n').length - 1))
    await expect.poll(() => lines, patiently).toBeGreaterThan(2)
    child.kill('SIGINT')
    expect(await once(child, 'close')).toEqual([0, null])
  })

  test('bash completes commands, topics and groups', async () => {
    await lks(['topic', 'create', 'completed.topic'], run)
    expect((await lks(['__complete', 'lks topic describe completed'], run)).stdout).toBe('completed.topic\n')
    expect((await lks(['__complete', `lks topic describe -b ${cluster.kafka} completed`])).stdout).toBe('completed.topic\n')
    await using folder = await temporaryFolder()
    const command = [process.execPath, ...program].map((word) => `'${word}'`).join(' ')
    await writeFile(join(folder.path, 'lks'), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 })
    const script = `source <(lks completion bash); COMP_LINE='lks topic describe completed'; COMP_POINT=\${#COMP_LINE}; COMP_WORDS=(lks topic describe completed); COMP_CWORD=3; _lks; printf '%s\\n' "\${COMPREPLY[@]}"`
    const bash = spawn('bash', ['-c', script], { env: { ...process.env, ...run.env, PATH: `${folder.path}:${process.env.PATH}` } })
    let said = ''
    bash.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
    await once(bash, 'close')
    expect(said).toBe('completed.topic\n')
  })

  test('a reader that leaves ends it quietly', async () => {
    const child = spawn(process.execPath, [...program, 'cluster', 'info', '--apis', '-o', 'json'], { env: { ...process.env, ...run.env } })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.stdout.destroy()
    expect(await once(child, 'close')).toEqual([0, null])
    expect(stderr).toBe('')
  })
})

const program = ['--conditions=lks-source', join(repository, 'packages/local-kafka-service/src/main.ts')]

describe('a cluster out of reach', () => {
  const asks = (server: string, ...more: readonly string[]): Promise<Ended> => lks(['topic', 'list', '-b', server, ...more])

  test('nobody listens there', async () => {
    await using gone = await listening(createServer())
    await gone[Symbol.asyncDispose]()
    expectRefusal(await asks(gone.address), 'LKS-4001', new RegExp(`nobody listens on ${gone.address}`))
  })

  test('there is no such host', async () => {
    expectRefusal(await asks('no-such-host.invalid:9092'), 'LKS-4001', /there is no host 'no-such-host.invalid'/)
  })

  test('HTTP is spoken there', async () => {
    await using web = await listening(createHttp((_request, response) => response.end('hello')))
    expectRefusal(await asks(web.address), 'LKS-4002', /speaks HTTP, not Kafka/)
  })

  test('the connection is ended at once', async () => {
    await using rude = await listening(createServer((socket) => socket.destroy()))
    expectRefusal(await asks(rude.address), 'LKS-4002', /ends the connection without an answer/)
  })

  test('what answers is no Kafka', async () => {
    await using ssh = await listening(createServer((socket) => socket.on('error', () => {}).write('SSH-2.0-OpenSSH_9.6\r\n')))
    expectRefusal(await asks(ssh.address), 'LKS-4002', /does not speak Kafka/)
  })

  test('nothing is answered', async () => {
    await using silent = await listening(createServer((socket) => void socket.on('error', () => {})))
    expectRefusal(await asks(silent.address, '-X', 'request.timeout.ms=1000'), 'LKS-4002', /answers nothing/)
  })

  test('one of several servers is enough', async () => {
    await using server = await startServer({ args: ['--memory'] })
    expect(await asks(`no-such-host.invalid:9092,${server.kafka}`)).toMatchObject({ code: 0 })
  })
})

describe('TLS', () => {
  const certificate = join(repository, 'test/e2e/testing/localhost.cert.pem')
  let server: ServerProcess
  let tls: Listening
  beforeAll(async () => {
    let plain = { port: 0, host: '127.0.0.1' }
    const [cert, key] = await Promise.all([readFile(certificate), readFile(join(repository, 'test/e2e/testing/localhost.key.pem'))])
    tls = await listening(createTls({ cert, key }, (socket) => relay(socket, connect(plain))))
    server = await startServer({ args: ['--memory', '--advertised', `localhost:${tls.port}`] })
    plain = { ...plain, port: server.port }
  })
  afterAll(async () => {
    await server.kill()
    await tls[Symbol.asyncDispose]()
  })
  const over = (...settings: readonly string[]): Promise<Ended> =>
    lks(['topic', 'list', '-b', `localhost:${tls.port}`, ...settings.flatMap((setting) => ['-X', setting])])

  test('with the certificate that it has, it works', async () => {
    expect(await over('security.protocol=SSL', `ssl.ca.location=${certificate}`)).toMatchObject({ code: 0 })
    expect(await over('security.protocol=SSL', 'enable.ssl.certificate.verification=false')).toMatchObject({ code: 0 })
  })

  test('without TLS it is said that TLS is wanted', async () => {
    expectRefusal(await over(), 'LKS-4003', /speaks Kafka over TLS, and was spoken to without/)
  })

  test('a certificate that nobody vouches for is refused', async () => {
    expectRefusal(await over('security.protocol=SSL'), 'LKS-4003', /is not trusted/)
  })

  test('over TLS to a server without, it is said that it has none', async () => {
    expectRefusal(await lks(['topic', 'list', '-b', server.kafka, '-X', 'security.protocol=SSL']), 'LKS-4003', /speaks Kafka without TLS/)
  })

  test('a file that is not there is named', async () => {
    expectRefusal(await over('security.protocol=SSL', 'ssl.ca.location=/no/such/ca.pem'), 'LKS-1004', /ssl\.ca\.location/, 2)
  })
})

describe.skipIf(clusters.length === 1)('SASL, on Apache Kafka', () => {
  test('with the password it works, with another it is refused, and the password is not printed', async () => {
    await using broker = await startKafkaBroker()
    const asked = (password: string, ...more: readonly string[]): Promise<Ended> =>
      lks(['topic', 'list', '-b', broker.login, '-X', 'security.protocol=SASL_PLAINTEXT', '-X', 'sasl.username=me', ...more], {
        env: { LKS_CLIENT_SASL_PASSWORD: password },
      })
    expect(await asked('secret')).toMatchObject({ code: 0 })
    const refused = await asked('hunter2')
    expectRefusal(refused, 'LKS-4004', /refuses the credentials of 'me'/)
    expect(refused.stderr).not.toContain('hunter2')
    expectRefusal(await asked('secret', '-X', 'sasl.mechanism=SCRAM-SHA-256'), 'LKS-4004', /SCRAM-SHA-256/)
  })
})

describe('doctor', () => {
  test('names the advertised address that is wrong', async () => {
    await using gone = await listening(createServer())
    await gone[Symbol.asyncDispose]()
    await using server = await startServer({ args: ['--memory', '--advertised', `localhost:${gone.port}`] })
    const ended = await lks(['doctor', 'connect', server.kafka])
    expect(ended.stdout).toMatch(/^ok +bootstrap/m)
    expect(ended.stdout).toMatch(/^WRONG +broker 1/m)
    expectRefusal(ended, 'LKS-4005', new RegExp(`advertises localhost:${gone.port}, but nobody listens`))
    // Asking the bootstrap server alone still works; what needs the broker says where to look.
    const listed = await lks(['group', 'list', '-b', server.kafka])
    expectRefusal(listed, 'LKS-4005', /lks doctor connect/)
    expect((await lks(['cluster', 'health', '-b', server.kafka])).code).toBe(1)
  })

  test('names an advertised host that has no address', async () => {
    await using server = await startServer({ args: ['--memory', '--advertised', 'kafka.invalid:9092'] })
    expectRefusal(await lks(['doctor', 'connect', server.kafka]), 'LKS-4005', /there is no host 'kafka\.invalid'/)
  })

  test('notices that another cluster answers at the advertised address', async () => {
    await using other = await startServer({ args: ['--memory'] })
    await using server = await startServer({ args: ['--memory', '--advertised', `localhost:${other.port}`] })
    expectRefusal(await lks(['doctor', 'connect', server.kafka]), 'LKS-4005', /another cluster answers/)
  })

  test('says who holds a port, and what it speaks', async () => {
    await using server = await startServer({ args: ['--memory'] })
    const control = Number(new URL(server.urls.control).port)
    const looked = await json<readonly unknown[]>(['doctor', 'ports', String(server.port), String(control)])
    expect(looked).toMatchObject([
      { port: server.port, free: false, speaks: 'Kafka' },
      { port: control, free: false, speaks: 'HTTP' },
    ])
    if (process.platform === 'linux') expect(looked).toMatchObject([{ pid: server.pid }, { pid: server.pid }])
    await server.kill()
    expect(await json(['doctor', 'ports', String(server.port)])).toMatchObject([{ free: true, pid: null }])
    expectRefusal(await lks(['doctor', 'ports', 'kafka']), 'LKS-1004', /no port/, 2)
  })
})

describe('wait', () => {
  test('until the server is there', async () => {
    await using held = await listening(createServer())
    await held[Symbol.asyncDispose]()
    const waiting = lks(['wait', '-b', held.address, '--timeout', '60s'])
    await using _server = await startServer({
      args: ['--memory'],
      ports: ['--kafka-port', String(held.port), '--control-port', '0', '--data-port', '0'],
    })
    expect(await waiting).toMatchObject({ code: 0, stdout: `${held.address}\n`, stderr: '' })
  })

  test('fails when nobody came, and ends at Ctrl-C with 130', async () => {
    await using gone = await listening(createServer())
    await gone[Symbol.asyncDispose]()
    expectRefusal(await lks(['wait', '-b', gone.address, '--timeout', '300ms']), 'LKS-4014', /nobody listens/)
    const child = spawn(process.execPath, [...program, 'wait', '-b', gone.address], { env: { ...process.env, LKS_VERBOSE: 'true' } })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    await once(child, 'spawn')
    // It takes signals once it runs; until then the signal itself ends it.
    const end = once(child, 'close')
    await Promise.race([end, expect.poll(() => child.kill('SIGINT') && child.exitCode !== null, patiently).toBe(true)])
    expect([130, null]).toContain((await end)[0])
    expect(stderr).toBe('')
  })
})

describe('exec', () => {
  const node = (code: string): readonly string[] => ['--', process.execPath, '-e', code]

  test('the command finds a Kafka with its topics, and its exit code is ours', async () => {
    const inner = [process.execPath, ...program].map((word) => `'${word}'`).join(' ')
    const ended = await lks(['exec', '--topics', 'orders:3,audit', '--', 'sh', '-c', `${inner} topic list -o json; exit 7`])
    expect(JSON.parse(ended.stdout)).toMatchObject([
      { name: 'audit', partitions: 1 },
      { name: 'orders', partitions: 3 },
    ])
    expect(ended).toMatchObject({ code: 7, stderr: expect.stringContaining('a Kafka in memory on 127.0.0.1:') })
  })

  test('its environment names the Kafka in every usual way, and the control plane', async () => {
    const names = ['KAFKA_BROKERS', 'KAFKA_BOOTSTRAP_SERVERS', 'LKS_BOOTSTRAP_SERVERS', 'LKS_URL', 'LKS_DATA_URL']
    const { stdout, code } = await lks([
      'exec',
      ...node(`console.log(JSON.stringify(${JSON.stringify(names)}.map((name) => process.env[name])))`),
    ])
    const [brokers, bootstrap, ours, control, data] = JSON.parse(stdout) as readonly string[]
    expect(brokers).toMatch(/^127\.0\.0\.1:\d+$/)
    expect([bootstrap, ours]).toEqual([brokers, brokers])
    expect(control).toMatch(/^http:/)
    expect(data).toMatch(/^http:/)
    expect(code).toBe(0)
  })

  test('a signal reaches the command, and its end is ours', async () => {
    const child = spawn(process.execPath, [
      ...program,
      'exec',
      ...node("process.on('SIGTERM', () => process.exit(9)); setInterval(() => {}, 1000); console.log('up')"),
    ])
    await once(child.stdout, 'data')
    child.kill('SIGTERM')
    expect(await once(child, 'close')).toEqual([9, null])
    const killed = await lks(['exec', ...node("process.kill(process.pid, 'SIGKILL')")])
    expect(killed.code).toBe(128 + 9)
  })

  test('a command that is not there, and topics that cannot be', async () => {
    expectRefusal(await lks(['exec', 'no-such-command-anywhere']), 'LKS-4016', /'no-such-command-anywhere' cannot be started/)
    expectRefusal(await lks(['exec', '--topics', 'a:0', '--', 'true']), 'LKS-1004', /no topic with a count/, 2)
    expectRefusal(await lks(['exec', '--topics', 'no/name', '--', 'true']), 'LKS-1004', /no\/name/, 2)
    expectRefusal(await lks(['exec']), 'LKS-1008', /command/, 2)
  })
})

test('lks alone and lks --help are the overview; a group without its command is a wrong call', async () => {
  const alone = await lks([])
  expect(alone).toMatchObject({ code: 0, stderr: '' })
  expect(alone.stdout).toMatch(/^ {2}topic +Topics: list, create/m)
  expect((await lks(['--help'])).stdout).toBe(alone.stdout)
  expectRefusal(await lks(['topic']), 'LKS-1008', /lks topic --help/, 2)
  expectRefusal(await lks(['-b', 'a:1', 'topic', 'list']), 'LKS-1008', /options stand behind the command/, 2)
  expect(JSON.parse((await lks(['version', '--json'])).stdout)).toMatchObject({ lks: expect.stringMatching(/^\d+\./) })
})

interface Listening extends AsyncDisposable {
  readonly address: string
  readonly port: number
}

/** On any free port until its end, with its connections. */
async function listening(server: Server): Promise<Listening> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    address: `127.0.0.1:${port}`,
    port,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function relay(one: Socket, other: Socket): void {
  for (const socket of [one, other]) socket.on('error', () => {})
  one.pipe(other).pipe(one)
  one.once('close', () => other.destroy())
  other.once('close', () => one.destroy())
}
