// The errors of lks for a cluster that it cannot reach: no server, another protocol, TLS, logins, wrong addresses.
import { readFile } from 'node:fs/promises'
import { createServer as createHttp } from 'node:http'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { createServer as createTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ProgramEnd } from '../../packages/sim/src/program.ts'
import { runCommand, startCommand } from './testing/client-command.ts'
import { expectError, json } from './testing/commands.ts'
import { hasKafkaBroker, startKafkaBroker } from './testing/kafka-broker.ts'
import { listening, relay, type TestListener } from './testing/listening.ts'
import { lks, repository, type ServerProcess, startServer } from './testing/server.ts'

describe('a cluster out of reach', () => {
  const asks = (server: string, ...more: readonly string[]): Promise<ProgramEnd> => lks(['topic', 'list', '-b', server, ...more])

  test('no server listens there', async () => {
    await using gone = await listening(createServer())
    await gone[Symbol.asyncDispose]()
    expectError(await asks(gone.address), 'LKS-4001', new RegExp(`no server listens on ${gone.address}`))
  })

  test('the host cannot be resolved', async () => {
    expectError(await asks('no-such-host.invalid:9092'), 'LKS-4001', /the host 'no-such-host.invalid' cannot be resolved/)
  })

  test('HTTP is spoken there', async () => {
    await using web = await listening(createHttp((_request, response) => response.end('hello')))
    expectError(await asks(web.address), 'LKS-4002', /speaks HTTP, not Kafka/)
  })

  test('the connection is ended at once', async () => {
    await using rude = await listening(createServer((socket) => socket.destroy()))
    expectError(await asks(rude.address), 'LKS-4002', /closes the connection without an answer/)
  })

  test('the server is not a Kafka server', async () => {
    await using ssh = await listening(createServer((socket) => socket.on('error', () => {}).write('SSH-2.0-OpenSSH_9.6\r\n')))
    expectError(await asks(ssh.address), 'LKS-4002', /does not speak Kafka/)
  })

  test('nothing is answered', async () => {
    await using silent = await listening(createServer((socket) => void socket.on('error', () => {})))
    expectError(await asks(silent.address, '-X', 'request.timeout.ms=1000'), 'LKS-4002', /does not answer/)
  })

  test('one of several servers is enough', async () => {
    await using server = await startServer({ args: ['--memory'] })
    expect(await asks(`no-such-host.invalid:9092,${server.kafka}`)).toMatchObject({ code: 0 })
  })
})

describe('TLS', () => {
  const certificate = join(repository, 'test/e2e/testing/localhost.cert.pem')
  let server: ServerProcess
  let tls: TestListener
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
  const over = (...settings: readonly string[]): Promise<ProgramEnd> =>
    lks(['topic', 'list', '-b', `localhost:${tls.port}`, ...settings.flatMap((setting) => ['-X', setting])])

  test('with the certificate that it has, it works', async () => {
    expect(await over('security.protocol=SSL', `ssl.ca.location=${certificate}`)).toMatchObject({ code: 0 })
    expect(await over('security.protocol=SSL', 'enable.ssl.certificate.verification=false')).toMatchObject({ code: 0 })
  })

  test('without TLS it is said that TLS is wanted', async () => {
    expectError(await over(), 'LKS-4003', /speaks Kafka over TLS, but security\.protocol is/)
  })

  test('an untrusted certificate is rejected', async () => {
    expectError(await over('security.protocol=SSL'), 'LKS-4003', /is not trusted/)
  })

  test('over TLS to a server without, it is said that it has none', async () => {
    expectError(await lks(['topic', 'list', '-b', server.kafka, '-X', 'security.protocol=SSL']), 'LKS-4003', /speaks Kafka without TLS/)
  })

  test('C16: the error for a login at a listener without one names the setting, with and without TLS', async () => {
    const login = ['sasl.username=me', 'sasl.password=secret']
    expectError(
      await over('security.protocol=SASL_SSL', `ssl.ca.location=${certificate}`, ...login),
      'LKS-4003',
      /has no login \(SASL\), but security\.protocol is SASL_SSL[^]*security\.protocol=SSL$/m,
    )
    const plain = ['cluster', 'info', '-b', server.kafka, '-X', 'security.protocol=SASL_PLAINTEXT']
    const info = await lks([...plain, ...login.flatMap((setting) => ['-X', setting])])
    expectError(info, 'LKS-4003', /has no login \(SASL\), but security\.protocol is SASL_PLAINTEXT[^]*security\.protocol=PLAINTEXT$/m)
    expect(info.stderr).not.toContain('address')
    expectError(await over('security.protocol=SASL_PLAINTEXT', ...login), 'LKS-4003', /over TLS[^]*security\.protocol=SSL$/m)
  })

  test('a file that is not there is named', async () => {
    expectError(await over('security.protocol=SSL', 'ssl.ca.location=/no/such/ca.pem'), 'LKS-1004', /ssl\.ca\.location/, 2)
  })
})

describe.skipIf(!hasKafkaBroker())('SASL, on Apache Kafka', () => {
  test('the right password works, another is rejected, and the password is not printed', async () => {
    await using broker = await startKafkaBroker()
    const listTopics = (password: string, ...more: readonly string[]): Promise<ProgramEnd> =>
      lks(['topic', 'list', '-b', broker.login, '-X', 'security.protocol=SASL_PLAINTEXT', '-X', 'sasl.username=me', ...more], {
        env: { LKS_CLIENT_SASL_PASSWORD: password },
      })
    expect(await listTopics('secret')).toMatchObject({ code: 0 })
    const rejected = await listTopics('hunter2')
    expectError(rejected, 'LKS-4004', /rejected the credentials of 'me'/)
    expect(rejected.stderr).not.toContain('hunter2')
    expectError(
      await listTopics('secret', '-X', 'sasl.mechanism=SCRAM-SHA-256'),
      'LKS-4003',
      /does not serve sasl\.mechanism SCRAM-SHA-256/,
    )
    // C16: the listener has a login and the client none, and the other way round.
    for (const command of [
      ['topic', 'list'],
      ['consume', 't', '-e'],
      ['doctor', 'connect', broker.login],
    ])
      expectError(await lks([...command, '-b', broker.login]), 'LKS-4003', /requires SASL, but security\.protocol is PLAINTEXT/)
    expectError(
      await listTopics('secret', '-b', broker.kafka),
      'LKS-4003',
      /has no login \(SASL\), but security\.protocol is SASL_PLAINTEXT/,
    )
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
    expectError(ended, 'LKS-4005', new RegExp(`advertises localhost:${gone.port}, but no server listens`))
    // Asking the bootstrap server alone still works; what needs the broker says where to look.
    const listed = await lks(['group', 'list', '-b', server.kafka])
    expectError(listed, 'LKS-4005', /lks doctor connect/)
    expect((await lks(['cluster', 'health', '-b', server.kafka])).code).toBe(1)
    expect(ended.stderr).toContain(`lks dev --advertised ${server.kafka}`)
  })

  test('N3: what needs a leader that was never reachable fails in seconds, and names the doctor', async () => {
    await using gone = await listening(createServer())
    await gone[Symbol.asyncDispose]()
    await using server = await startServer({ args: ['--memory', '--advertised', `localhost:${gone.port}`] })
    const commands = [
      ['produce', 't'],
      ['consume', 't', '-e'],
      ['consume', 't'],
      ['consume', 't', '-g', 'g'],
      ['query', 't'],
      ['topic', 'describe', 't'],
      ['group', 'describe', 'g'],
    ]
    await lks(['topic', 'create', 't', '-b', server.kafka])
    const ended = await Promise.all(commands.map((command) => runCommand(server.kafka, command, 'x\n')))
    for (const end of ended) expectError(end, 'LKS-4005', /lks doctor connect/)
    expect(ended[0]?.stderr).toMatch(new RegExp(`0 records are written to t, then no connection could be made to localhost:${gone.port}`))
  })

  test('names an advertised host that has no address', async () => {
    await using server = await startServer({ args: ['--memory', '--advertised', 'kafka.invalid:9092'] })
    expectError(await lks(['doctor', 'connect', server.kafka]), 'LKS-4005', /the host 'kafka\.invalid' cannot be resolved/)
  })

  test('notices that another cluster answers at the advertised address', async () => {
    await using other = await startServer({ args: ['--memory'] })
    await using server = await startServer({ args: ['--memory', '--advertised', `localhost:${other.port}`] })
    expectError(await lks(['doctor', 'connect', server.kafka]), 'LKS-4005', /another cluster answers/)
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
    expectError(await lks(['doctor', 'ports', 'kafka']), 'LKS-1004', /not a valid port/, 2)
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

  test('fails if no server starts', async () => {
    await using gone = await listening(createServer())
    await gone[Symbol.asyncDispose]()
    expectError(await lks(['wait', '-b', gone.address, '--timeout', '300ms']), 'LKS-4014', /no server listens/)
  })

  test('ends at Ctrl-C with 130', async () => {
    const connected = Promise.withResolvers<void>()
    await using other = await listening(
      createServer((socket) => {
        socket.destroy()
        connected.resolve()
      }),
    )
    await using waiting = startCommand(other.address, ['wait'])
    await connected.promise
    expect(await waiting.kill('SIGINT')).toMatchObject({ code: 130, stderr: '' })
  })
})
