// The command `lks dev` from outside: the ready line, the two lines of curl, its end by a signal and by kill -9, and every start that must fail with words that help.

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPostgres } from '../../packages/agent/src/metadata/testing/postgres-server.ts'
import { type S3Server, startS3Server } from '../../packages/agent/src/objects/testing/s3-server.ts'
import { type ProgramEnd, startProgram } from '../../packages/sim/src/program.ts'
import { expectError, json } from './testing/commands.ts'
import { succeeds } from './testing/programs.ts'
import {
  anyPorts,
  type Folder,
  lks,
  type ReadyLine,
  repository,
  type ServerProcess,
  startServer,
  temporaryFolder,
} from './testing/server.ts'
import { s3Env } from './testing/stores.ts'

let folder: Folder
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder[Symbol.asyncDispose]())

let folders = 0
/** A data directory that is not there yet. */
function newDirectory(): string {
  folders += 1
  return join(folder.path, String(folders), '.lks')
}

async function createTopic(control: string, name: string): Promise<Response> {
  return await fetch(`${control}/topics`, {
    method: 'POST',
    body: JSON.stringify({ name }),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
}

async function produce(data: string, topic: string, body: string): Promise<Response> {
  return await fetch(`${data}/topics/${topic}/produce/0`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
}

async function valuesOf(data: string, topic: string): Promise<readonly unknown[]> {
  const answer = await fetch(`${data}/topics/${topic}/messages/0?offset=0`)
  const { records } = (await answer.json()) as { readonly records: readonly { readonly value: unknown }[] }
  return records.map(({ value }) => value)
}

/** Nothing on stdout: no program takes it for a server that is ready. */
function expectNoStart(ended: ProgramEnd, lksCode: string, exitCode = 1): void {
  expectError(ended, lksCode, /^error: /m, exitCode)
  expect(ended.stdout).toBe('')
}

describe('a server', () => {
  test('says where it is in one line of JSON, and is there on both loopback addresses', async () => {
    await using server = await startServer({ args: ['--memory'] })
    expect(server).toMatchObject({
      event: 'ready',
      kafka: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      urls: { control: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/), data: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) },
      ms: expect.any(Number),
      pid: expect.any(Number),
    })
    for (const host of ['127.0.0.1', '::1']) {
      const socket = connect({ host, port: server.port })
      await once(socket, 'connect')
      socket.destroy()
    }
    const overIpv6 = server.urls.control.replace('127.0.0.1', '[::1]')
    expect((await fetch(`${overIpv6}/readyz`)).status).toBe(200)
  })

  test('the two lines of curl work as written, and what they sent is kept over SIGTERM and kill -9', async () => {
    const dir = newDirectory()
    {
      const server = await startServer({ args: ['--dir', dir] })
      const topic = await createTopic(server.urls.control, 'hello')
      expect(topic.status).toBe(200)
      expect(await topic.json()).toMatchObject({ name: 'hello', partitions: 100 })
      const produced = await produce(server.urls.data, 'hello', 'key:value')
      expect(produced.status).toBe(200)
      expect(await produced.json()).toMatchObject({ topic: 'hello', partition: 0, offset: 0 })
      expect(await server.stop()).toMatchObject({ code: 0, signal: null })
    }
    {
      const server = await startServer({ args: ['--dir', dir] })
      expect(await valuesOf(server.urls.data, 'hello')).toEqual(['value'])
      expect(await (await produce(server.urls.data, 'hello', 'key:second')).json()).toMatchObject({ offset: 1 })
      expect(await server.kill()).toMatchObject({ signal: 'SIGKILL' })
    }
    await using server = await startServer({ args: ['--dir', dir] })
    expect(await valuesOf(server.urls.data, 'hello')).toEqual(['value', 'second'])
    expect(await (await produce(server.urls.data, 'hello', 'key:third')).json()).toMatchObject({ offset: 2 })
  })

  test('SIGTERM answers what was admitted before it ends', async () => {
    const server = await startServer({ args: ['--dir', newDirectory(), '--store-latency', '300ms'] })
    await createTopic(server.urls.control, 'slow')
    const answers = Promise.all(Array.from({ length: 5 }, (_, i) => produce(server.urls.data, 'slow', `k:${i}`)))
    // The metrics say when they are admitted: from there on an answer is owed.
    await expect.poll(async () => await uncommittedBytes(server.urls.control), { interval: 5, timeout: 10_000 }).toBeGreaterThan(0)
    const ended = server.stop()
    expect((await answers).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(await ended).toMatchObject({ code: 0 })
  })

  test('a second signal ends it at once', async () => {
    const never = Promise.withResolvers<void>()
    await using s3 = await startS3Server({
      fault: ({ method, key }) => (method === 'PUT' && !key.endsWith('cluster.json') ? { kind: 'wait', until: never.promise } : undefined),
    })
    const server = await startServer({ args: ['--dir', newDirectory(), '--storage', `s3://${s3.bucket}/prefix`], env: s3Env(s3) })
    await createTopic(server.urls.control, 'stuck')
    const answer = produce(server.urls.data, 'stuck', 'k:v').then(
      () => 'answered',
      () => 'cut',
    )
    await expect.poll(async () => await uncommittedBytes(server.urls.control), { interval: 5, timeout: 10_000 }).toBeGreaterThan(0)
    server.signal('SIGTERM')
    await expect.poll(() => server.log(), { interval: 5, timeout: 10_000 }).toContain('stopping')
    expect(await server.stop()).toMatchObject({ code: 128 + 15 })
    expect(await answer).toBe('cut')
    never.resolve()
  })

  test('on a slow store a lone produce is sealed at once, without waiting for company', async () => {
    const server = await startServer({ args: ['--memory', '--store-latency', '50ms', '-v'] })
    await createTopic(server.urls.control, 'lone')
    for (const value of ['first', 'second']) expect((await produce(server.urls.data, 'lone', `k:${value}`)).status).toBe(200)
    const { stderr } = await server.stop()
    const triggers = [...stderr.matchAll(/"trigger":"(\w+)"/g)].map(([, trigger]) => trigger)
    expect(triggers).toEqual(['idle', 'idle'])
  })

  test('a deleted topic is listed with its id, and brought back with its records', async () => {
    await using server = await startServer({ args: ['--memory'] })
    const run = { env: { KAFKA_BOOTSTRAP_SERVERS: server.kafka, LKS_URL: server.urls.control } }
    await createTopic(server.urls.control, 'missed')
    for (const value of ['one', 'two']) expect((await produce(server.urls.data, 'missed', value)).status).toBe(200)
    expect(await lks(['topic', 'delete', 'missed', '--yes'], run)).toMatchObject({ code: 0 })
    expect(await json(['topic', 'list'], run)).toEqual([])
    const [deleted, ...others] = await json<readonly { readonly name: string; readonly id: string }[]>(['topic', 'list', '--deleted'], run)
    expect([deleted?.name, others]).toEqual(['missed', []])
    expect(await json(['topic', 'undelete', deleted?.id ?? ''], run)).toMatchObject({ name: 'missed', id: deleted?.id })
    expect(await valuesOf(server.urls.data, 'missed')).toEqual(['one', 'two'])
    expect(await json(['topic', 'list', '--deleted'], run)).toEqual([])
    const again = await lks(['topic', 'undelete', deleted?.id ?? ''], run)
    expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: No deleted topic with id .*\(LKS-4007\)$/m) })
  })

  test('a default HTTP port that is busy is moved on from, and that is said', async () => {
    await using taken = await takePort(8000)
    const server = await startServer({ args: ['--memory'], ports: ['--kafka-port', '0', '--data-port', '0'] })
    expect(server.urls.control).not.toBe('http://127.0.0.1:8000')
    expect((await fetch(`${server.urls.control}/livez`)).status).toBe(200)
    const { stderr } = await server.stop()
    expect(stderr).toContain('port 8000 is in use')
    expect(taken.port).toBe(8000)
  })

  test('an unknown LKS_ variable is warned about, a known one counts', async () => {
    const server = await startServer({ args: ['--memory'], env: { LKS_FLUSH_BITES: '1', LKS_HTTP_NUM_PARTITIONS: '3' } })
    expect(await (await createTopic(server.urls.control, 'three')).json()).toMatchObject({ partitions: 3 })
    const { stderr } = await server.stop()
    expect(stderr).toContain('did you mean LKS_FLUSH_BYTES?')
  })

  test('its log on a pipe is lines of JSON', async () => {
    const server = await startServer({ args: ['--memory'] })
    await createTopic(server.urls.control, 'logged')
    const { stderr } = await server.stop()
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly level: string; readonly msg: string })
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'info', topic: 'logged', msg: 'topic logged created with 100 partitions' }),
    )
  })
})

describe('a failed start reports what happened, why, and how to fix it', () => {
  test('the Kafka port is in use', async () => {
    await using taken = await takePort(0)
    const ended = await lks(['dev', '--memory', ...anyPorts, '--kafka-port', String(taken.port)])
    expectNoStart(ended, 'LKS-1001')
    expect(ended.stderr).toContain(`port ${taken.port} is in use`)
    expect(ended.stderr).toContain(`--kafka-port ${taken.port + 1}`)
  })

  test.each(['--control-port', '--data-port'])('the HTTP port that was asked for is in use: %s', async (flag) => {
    await using taken = await takePort(0)
    const ended = await lks(['dev', '--memory', ...anyPorts, flag, String(taken.port)])
    expectNoStart(ended, 'LKS-1001')
    expect(ended.stderr).toContain(`${flag} ${taken.port + 1}`)
  })

  test('the address does not belong to this machine', async () => {
    expectNoStart(await lks(['dev', '--memory', ...anyPorts, '--listen', '192.0.2.1']), 'LKS-1003')
  })

  test('N15: a start that finds its port taken leaves no data directory behind', async () => {
    await using cwd = await temporaryFolder()
    await using taken = await takePort(0)
    const ended = await lks(['dev', ...anyPorts, '--kafka-port', String(taken.port)], { cwd: cwd.path })
    expectNoStart(ended, 'LKS-1001')
    expect(await readdir(cwd.path)).toEqual([])
    await (await startServer({ cwd: cwd.path })).stop()
    expect(await readFile(join(cwd.path, '.lks', '.gitignore'), 'utf8')).toBe('*\n')
  })

  test('the data directory is in use; it is free again after kill -9', async () => {
    const dir = newDirectory()
    const first = await startServer({ args: ['--dir', dir] })
    expectNoStart(await lks(['dev', ...anyPorts, '--dir', dir]), 'LKS-1101')
    expect((await fetch(`${first.urls.control}/readyz`)).status).toBe(200)
    await first.kill()
    await using _second = await startServer({ args: ['--dir', dir] })
  })

  test('the data directory is of a newer version', async () => {
    const dir = newDirectory()
    await (await startServer({ args: ['--dir', dir] })).stop()
    edit(join(dir, 'lock.db'), 'PRAGMA user_version = 99')
    expectNoStart(await lks(['dev', ...anyPorts, '--dir', dir]), 'LKS-1102')
  })

  test('the metadata database is of a newer version', async () => {
    const dir = newDirectory()
    await (await startServer({ args: ['--dir', dir] })).stop()
    edit(join(dir, 'metadata.db'), 'UPDATE schema_version SET version = 99, minimum_reader = 99')
    expectNoStart(await lks(['dev', ...anyPorts, '--dir', dir]), 'LKS-3104')
  })

  test('the data directory is a file', async () => {
    const dir = newDirectory()
    await mkdir(join(dir, '..'), { recursive: true })
    await writeFile(dir, '')
    expectNoStart(await lks(['dev', ...anyPorts, '--dir', dir]), 'LKS-1103')
  })

  test('an empty metadata database on a used prefix, also when tried again; the objects are left alone', async () => {
    const dir = newDirectory()
    const server = await startServer({ args: ['--dir', dir] })
    await createTopic(server.urls.control, 'kept')
    await server.stop()
    const claimed = await readFile(join(dir, 'objects', 'cluster.json'), 'utf8')
    for (const name of ['metadata.db', 'metadata.db-wal', 'metadata.db-shm']) await rm(join(dir, name), { force: true })
    for (let again = 0; again < 2; again++) expectNoStart(await lks(['dev', ...anyPorts, '--dir', dir]), 'LKS-3005')
    expect(await readFile(join(dir, 'objects', 'cluster.json'), 'utf8')).toBe(claimed)
  })

  test("another cluster's prefix", async () => {
    const dir = newDirectory()
    const server = await startServer({ args: ['--dir', dir] })
    await createTopic(server.urls.control, 'mine')
    await server.stop()
    await editClusterFile(dir, { clusterId: '00000000-0000-4000-8000-000000000000' })
    const ended = await lks(['dev', ...anyPorts, '--dir', dir])
    expectNoStart(ended, 'LKS-3004')
    expect(ended.stderr).toContain('00000000-0000-4000-8000-000000000000')
  })

  test('a prefix of a newer format', async () => {
    const dir = newDirectory()
    await (await startServer({ args: ['--dir', dir] })).stop()
    await editClusterFile(dir, { format: 99, minimumReader: 99 })
    expectNoStart(await lks(['dev', ...anyPorts, '--dir', dir]), 'LKS-3006')
  })

  test('a damaged cluster file', async () => {
    const dir = newDirectory()
    await (await startServer({ args: ['--dir', dir] })).stop()
    await writeFile(join(dir, 'objects', 'cluster.json'), '{')
    expectNoStart(await lks(['dev', ...anyPorts, '--dir', dir]), 'LKS-3007')
  })

  test('the endpoint of the bucket does not answer', async () => {
    const port = await freePort()
    const ended = await lks(['dev', ...anyPorts, '--dir', newDirectory(), '--storage', 's3://bucket/prefix'], {
      env: { AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' },
    })
    expectNoStart(ended, 'LKS-3001')
    expect(ended.stderr).toContain('s3://bucket/prefix')
  })

  test('there is no such bucket, and the credentials are wrong', async () => {
    await using s3 = await startS3Server()
    const start = async (bucket: string, env: Readonly<Record<string, string>>): Promise<ProgramEnd> =>
      await lks(['dev', ...anyPorts, '--dir', newDirectory(), '--storage', `s3://${bucket}/prefix`], { env: { ...s3Env(s3), ...env } })
    expectNoStart(await start('no-such-bucket', {}), 'LKS-3002')
    expectNoStart(await start(s3.bucket, { AWS_SECRET_ACCESS_KEY: 'wrong' }), 'LKS-3003')
    expect(s3.objects.size).toBe(0)
  })

  test('on S3, too: rm -rf of the data directory, then a start on the used prefix, harms nothing', async () => {
    await using s3 = await startS3Server()
    const dir = newDirectory()
    const env = s3Env(s3)
    const args = ['--dir', dir, '--storage', `s3://${s3.bucket}/prefix`]
    const server = await startServer({ args, env })
    await createTopic(server.urls.control, 'bucketed')
    expect((await produce(server.urls.data, 'bucketed', 'k:v')).status).toBe(200)
    // Before the ack the bytes are in the bucket: the cluster file and one object.
    expect(s3.objects.size).toBe(2)
    await server.stop()
    await rm(dir, { recursive: true })
    expectNoStart(await lks(['dev', ...anyPorts, ...args], { env }), 'LKS-3005')
    expect(s3.objects.size).toBe(2)
  })

  test('the metadata database does not answer; its password is not printed', async () => {
    const port = await freePort()
    const ended = await lks(['dev', ...anyPorts, '--dir', newDirectory(), '--metadata', `postgres://me:secret@127.0.0.1:${port}/lks`])
    expectNoStart(ended, 'LKS-3101')
    expect(ended.stderr).not.toContain('secret')
  })

  test.each([
    [['dev', '--kafka-prot', '1'], 'LKS-1008', /--kafka-port/],
    [['dev', 'more'], 'LKS-1008', /argument/],
    [['serve'], 'LKS-1008', /serve/],
    [['dev', '--kafka-port', 'x'], 'LKS-1004', /0 to 65535/],
    [['dev', '--memory', '--dir', 'x'], 'LKS-1005', /--memory and --dir/],
  ])('a wrong call: %j', async (args, code, words) => {
    const ended = await lks(args)
    expectNoStart(ended, code, 2)
    expect(ended.stderr).toMatch(words)
  })

  test('with -v it prints the stack, too', async () => {
    const ended = await lks(['dev', '-v', '--kafka-port', 'x'])
    expect(ended.stderr).toMatch(/^\s+at /m)
    expect(ended.code).toBe(2)
  })
})

// A process whose files may not grow meets every write as on a full disk, and its limit can be lifted again from outside.
const prlimit = succeeds('prlimit', ['--version'])

function limitFiles(pid: number, bytes: string): void {
  expect(succeeds('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`])).toBe(true)
}

test.skipIf(!prlimit)(
  'N4: on a full disk the log has one line, HTTP answers at once with it, and all goes on when there is room',
  async () => {
    const dir = newDirectory()
    await using server = await startServer({ args: ['--dir', dir] })
    await createTopic(server.urls.control, 'hello')
    expect((await produce(server.urls.data, 'hello', 'key:before')).status).toBe(200)
    limitFiles(server.pid, '1')
    for (let times = 0; times < 3; times += 1) {
      const answer = await produce(server.urls.data, 'hello', 'key:lost')
      expect(answer.status).toBe(503)
      expect(await answer.json()).toMatchObject({ message: expect.stringMatching(/disk of .+ is full: free some space/) })
    }
    const body = await (await createTopic(server.urls.control, 'more')).text()
    expect(body).toMatch(/disk of .+ is full/)
    expect(body).not.toContain('Idempotency-Key')
    expect(await (await fetch(`${server.urls.control}/readyz`)).text()).toMatch(/disk of .+ is full/)
    limitFiles(server.pid, 'unlimited')
    await expect.poll(async () => (await produce(server.urls.data, 'hello', 'key:after')).status, { timeout: 30_000 }).toBe(200)
    await expect.poll(() => server.log(), { timeout: 30_000 }).toContain('the disk can be written again')
    expect(await valuesOf(server.urls.data, 'hello')).toEqual(['before', 'after'])
    const levels = server
      .log()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly level: string; readonly msg: string })
    expect(levels.filter(({ level }) => level !== 'info').map(({ msg }) => msg)).toEqual([expect.stringMatching(/^the disk of .+ is full/)])
  },
)

test.skipIf(!prlimit)('N4: a log file on the full disk does not end the server', async () => {
  await using cwd = await temporaryFolder()
  const main = join(repository, 'packages/cli/src/main.ts')
  const script = 'exec "$0" --conditions=lks-source "$@" 2>log'
  await using server = startProgram('sh', ['-c', script, process.execPath, main, 'dev', ...anyPorts], { cwd: cwd.path })
  const { urls } = JSON.parse(await server.firstLine()) as Pick<ReadyLine, 'urls'>
  await createTopic(urls.control, 'hello')
  limitFiles(server.pid, '1')
  for (let times = 0; times < 3; times += 1) expect((await produce(urls.data, 'hello', 'key:lost')).status).toBe(503)
  limitFiles(server.pid, 'unlimited')
  await expect.poll(async () => (await produce(urls.data, 'hello', 'key:after')).status, { timeout: 30_000 }).toBe(200)
  await expect.poll(() => readFile(join(cwd.path, 'log'), 'utf8'), { timeout: 30_000 }).toMatch(/is full[^]*can be written again/)
})

const started = await startPostgres()

describe.skipIf(started.kind === 'cannot run')(
  `on PostgreSQL${started.kind === 'cannot run' ? ` (it cannot run here: ${started.why})` : ''}`,
  () => {
    // Skipped otherwise.
    const postgres = started.kind === 'started' ? started.postgres : undefined
    const url = postgres?.url ?? ''
    let s3: S3Server
    beforeAll(async () => {
      s3 = await startS3Server()
    })
    afterAll(async () => {
      await s3[Symbol.asyncDispose]()
      await postgres?.stop()
    })

    function elsewhere(change: (at: URL) => void): string {
      const at = new URL(url)
      change(at)
      return at.href
    }

    /** A new cluster on a prefix of its own. */
    function aCluster(): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> } {
      const id = randomUUID()
      return { args: ['--storage', `s3://${s3.bucket}/${id}`, '--metadata', url, '--cluster-id', id], env: s3Env(s3) }
    }

    test('with S3 nothing is on this disk, and what was sent is there after kill -9', async () => {
      await using cwd = await temporaryFolder()
      const run = { ...aCluster(), cwd: cwd.path }
      const first = await startServer(run)
      await createTopic(first.urls.control, 'hello')
      expect((await produce(first.urls.data, 'hello', 'key:value')).status).toBe(200)
      await first.kill()
      await using second = await startServer(run)
      expect(await valuesOf(second.urls.data, 'hello')).toEqual(['value'])
      expect(await readdir(cwd.path)).toEqual([])
    })

    test('H11: a second start under the name of a live agent is rejected; --take-over ends the first, which reports it; a busy port ends neither', async () => {
      const run = aCluster()
      const first = await startServer(run)
      const busy = await lks(['dev', ...anyPorts, ...run.args, '--kafka-port', String(first.port)], { env: run.env })
      expectNoStart(busy, 'LKS-1001')
      const busyHttp = await lks(['dev', ...anyPorts, ...run.args, '--data-port', new URL(first.urls.data).port], { env: run.env })
      expectNoStart(busyHttp, 'LKS-1001')
      expect((await fetch(`${first.urls.control}/readyz`)).status).toBe(200)
      const inUse = await lks(['dev', ...anyPorts, ...run.args], { env: run.env })
      expectNoStart(inUse, 'LKS-1203')
      expect(inUse.stderr).toContain(`the agent '${hostname()}' on ${hostname()} (127.0.0.1:${first.port}, since `)
      expect(inUse.stderr).toContain('--take-over')
      expect((await fetch(`${first.urls.control}/readyz`)).status).toBe(200)
      await using second = await startServer({ ...run, args: [...run.args, '--take-over'] })
      const ended = await first.ended
      expect(ended.code).toBe(1)
      expect(ended.stderr).toContain('(LKS-1201)')
      expect((await fetch(`${second.urls.control}/readyz`)).status).toBe(200)
    })

    test('H11: after kill -9 a start takes over when the lease has not beaten for its time-out, and says what it waits for', async () => {
      const run = aCluster()
      const first = await startServer(run)
      await createTopic(first.urls.control, 'hello')
      expect((await produce(first.urls.data, 'hello', 'key:value')).status).toBe(200)
      await first.kill()
      await using second = await startServer(run)
      expect(second.log()).toMatch(/the agent '.+' on .+ may still be running: this server watches its lease for 5 s/)
      expect(second.ms).toBeGreaterThanOrEqual(5_000)
      expect(await valuesOf(second.urls.data, 'hello')).toEqual(['value'])
      expect((await produce(second.urls.data, 'hello', 'key:second')).status).toBe(200)
    })

    test('no such database, no such user', async () => {
      const missing = elsewhere((at) => {
        at.pathname = '/no_such_database'
      })
      expectNoStart(await lks(['dev', ...anyPorts, '--dir', newDirectory(), '--metadata', missing]), 'LKS-3103')
      const stranger = elsewhere((at) => {
        at.username = 'nobody_we_know'
        at.password = 'secret'
      })
      const rejected = await lks(['dev', ...anyPorts, '--dir', newDirectory(), '--metadata', stranger])
      expectNoStart(rejected, 'LKS-3102')
      expect(rejected.stderr).not.toContain('secret')
    })

    test('several clusters and none named; an empty one on a used prefix', async () => {
      const [one, two] = [aCluster(), aCluster()]
      for (const run of [one, two]) await (await startServer(run)).stop()
      const unnamed = await lks(['dev', ...anyPorts, '--dir', newDirectory(), '--metadata', url])
      expectNoStart(unnamed, 'LKS-3105')
      const [, prefix = ''] = one.args
      const crossed = await lks(['dev', ...anyPorts, '--storage', prefix, ...two.args.slice(2)], { env: s3Env(s3) })
      expectNoStart(crossed, 'LKS-3005')
    })
  },
)

describe('the sources, as `pnpm start` runs them', () => {
  test('do what the bundle does: worker, HTTP, and what it kept', async () => {
    const dir = newDirectory()
    const first = await startServer({ args: ['--dir', dir], entry: 'source' })
    expect(await (await createTopic(first.urls.control, 'hello')).json()).toMatchObject({ name: 'hello', partitions: 100 })
    expect((await createTopic(first.urls.control, 'hello')).status).toBe(409)
    expect((await createTopic(first.urls.control, 'no/name')).status).toBe(400)
    expect((await produce(first.urls.data, 'hello', 'key:value')).status).toBe(200)
    expect((await fetch(`${first.urls.control}/openapi.json`)).status).toBe(200)
    expect(await uncommittedBytes(first.urls.control)).toBe(0)
    await first.kill()
    await using second = await startServer({ args: ['--dir', dir], entry: 'source' })
    expect(await valuesOf(second.urls.data, 'hello')).toEqual(['value'])
  })

  test('reject the same input as the bundle', async () => {
    expectNoStart(await lks(['dev', '--kafka-port', 'x'], { entry: 'source' }), 'LKS-1004', 2)
  })
})

test('lks dev --topic creates topics, and leaves those that exist', async () => {
  await using folder = await temporaryFolder()
  const dir = join(folder.path, 'data')
  const topicsOf = async ({ urls }: ServerProcess): Promise<readonly object[]> =>
    ((await (await fetch(`${urls.control}/topics`)).json()) as { readonly topics: readonly object[] }).topics
  {
    await using server = await startServer({ args: ['--dir', dir, '--topic', 'orders:3', '--topic', 'audit,logs:2'] })
    expect(await topicsOf(server)).toMatchObject([
      { name: 'audit', partitions: 1 },
      { name: 'logs', partitions: 2 },
      { name: 'orders', partitions: 3 },
    ])
  }
  await using server = await startServer({ args: ['--dir', dir, '--topic', 'orders:7'] })
  expect((await topicsOf(server)).at(-1)).toMatchObject({ name: 'orders', partitions: 3 })
  expectNoStart(await lks(['dev', '--memory', '--kafka-port', '0', '--topic', 'a b']), 'LKS-1004', 2)
})

test('--version and --help say what there is', async () => {
  expect(await lks(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  const help = await lks(['dev', '--help'])
  expect(help.code).toBe(0)
  for (const flag of [
    '--memory',
    '--dir',
    '--storage',
    '--store-latency',
    '--metadata',
    '--kafka-port',
    '--listen',
    '--advertised',
    '--durability',
    '--topic',
  ])
    expect(help.stdout).toContain(flag)
  expect(help.stdout).not.toContain('--flush-bytes')
  const settings = await lks(['dev', '--help-settings'])
  expect(settings).toMatchObject({ code: 0, stdout: expect.stringContaining('--flush-bytes') })
  expect(settings.stdout).not.toContain('--kafka-port <')
})

async function uncommittedBytes(control: string): Promise<number> {
  const metrics = await (await fetch(`${control}/metrics`)).text()
  return Number(/^lks_uncommitted_bytes(?:\{[^}]*\})? (\d+)/m.exec(metrics)?.[1] ?? Number.NaN)
}

interface TakenPort extends AsyncDisposable {
  readonly port: number
}

/** Listens there until its end; where somebody else already does, that is as good. */
async function takePort(port: number): Promise<TakenPort> {
  const server = createServer()
  const taken = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' && port !== 0 ? resolve(false) : reject(error)))
    server.listen(port, '127.0.0.1', () => resolve(true))
  })
  return {
    port: taken ? (server.address() as AddressInfo).port : port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => (taken ? server.close(() => resolve()) : resolve())),
  }
}

async function freePort(): Promise<number> {
  const taken = await takePort(0)
  await taken[Symbol.asyncDispose]()
  return taken.port
}

function edit(path: string, sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

async function editClusterFile(dir: string, change: Readonly<Record<string, unknown>>): Promise<void> {
  const path = join(dir, 'objects', 'cluster.json')
  const file = JSON.parse(await readFile(path, 'utf8')) as Readonly<Record<string, unknown>>
  await writeFile(path, JSON.stringify({ ...file, ...change }))
}
