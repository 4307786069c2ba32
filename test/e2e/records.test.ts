// lks produce, consume and query against this server and against Apache Kafka: the same bytes in and out, whatever they are.
import { Admin, Producer } from '@platformatic/kafka'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runProgram } from '../../packages/sim/src/program.ts'
import { printed, runCommand, startCommand } from './testing/client-command.ts'
import { eventually } from './testing/commands.ts'
import { hasKafkaBroker, startKafkaBroker } from './testing/kafka-broker.ts'
import { linesOf, needs } from './testing/programs.ts'
import { RestartableServer } from './testing/restartable-server.ts'

interface TestedCluster extends AsyncDisposable {
  readonly kafka: string
  /** Like `kill -9`, then a start at the same addresses with the stored data. */
  restart(): Promise<void>
}

const clusters: readonly { readonly name: string; readonly start: () => Promise<TestedCluster> }[] = [
  { name: 'this server', start: startOurs },
  ...(hasKafkaBroker() ? [{ name: 'Apache Kafka', start: startKafkaBroker }] : []),
]

if (clusters.length === 1) {
  if (process.env.CI === 'true') test('KAFKA_CLASSPATH names a broker', () => expect(hasKafkaBroker()).toBe(true))
  else test.skip('Apache Kafka: named by KAFKA_CLASSPATH', () => {})
}

async function startOurs(): Promise<TestedCluster> {
  const server = new RestartableServer()
  await server.start()
  return server
}

describe.each(clusters)('on $name', ({ start }) => {
  let cluster: TestedCluster
  let kafka: string
  beforeAll(async () => {
    cluster = await start()
    kafka = cluster.kafka
  })
  afterAll(() => cluster[Symbol.asyncDispose]())

  async function aTopic(name: string, { partitions = 1, configs = {} as Readonly<Record<string, string>> } = {}): Promise<string> {
    const admin = new Admin({ clientId: 'e2e', bootstrapBrokers: [kafka] })
    const given = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
    await admin.createTopics({ topics: [name], partitions, replicas: 1, configs: given })
    await admin.close()
    return name
  }

  const consume = (topic: string, ...args: readonly string[]): Promise<string> => printed(kafka, ['consume', topic, '-e', ...args])

  test('100,000 lines come out as they went in', async () => {
    const topic = await aTopic('lines')
    const lines = Array.from({ length: 100_000 }, (_, index) => (index % 1_000 === 7 ? '' : `${index} ${'x'.repeat(index % 150)}`)).join(
      '\n',
    )
    await printed(kafka, ['produce', topic], `${lines}\n`)
    const back = await consume(topic)
    expect(back.length).toBe(lines.length + 1)
    expect(back === `${lines}\n`).toBe(true)
  })

  test('a topic is copied byte for byte: tombstones, empty and null keys, bytes that are not valid UTF-8, headers that come twice', async () => {
    const topic = await aTopic('original', { partitions: 3 })
    await aTopic('copy', { partitions: 3 })
    const producer = new Producer({ clientId: 'e2e', bootstrapBrokers: [kafka] })
    const bytes = (...of: readonly number[]): Buffer => Buffer.from(of)
    const odd: readonly (readonly [key: Buffer | null, value: Buffer | null, headers?: Map<Buffer, Buffer>])[] = [
      [Buffer.from('k'), Buffer.from('text ü \u{1f600} "quoted" \\ \n \u2028 \0')],
      [null, Buffer.from('no key')],
      [Buffer.alloc(0), Buffer.alloc(0)],
      [Buffer.from('k'), null],
      [bytes(0xff, 0xfe), bytes(0x80, 0x00, 0x0a, 0xff)],
      [Buffer.from('\ufeffbom'), Buffer.from('\ufeff')],
      // The cast: the library writes null as Kafka's null, which its types do not say.
      [
        Buffer.from('h'),
        Buffer.from('v'),
        new Map([
          [Buffer.from('a'), Buffer.from('1')],
          [Buffer.from('a'), bytes(0xff)],
          [Buffer.from('n'), null as unknown as Buffer],
        ]),
      ],
    ]
    for (const [at, [key, value, headers]] of odd.entries()) {
      const message = { topic, partition: at % 3, key, value, headers: headers ?? new Map(), timestamp: BigInt(1_700_000_000_000 + at) }
      await producer.send({ messages: [message as unknown as Parameters<Producer['send']>[0]['messages'][number]] })
    }
    await producer.close()

    const original = await consume(topic, '-o', 'json')
    expect(original.split('\n').filter((line) => line !== '')).toHaveLength(odd.length)
    await printed(kafka, ['produce', 'copy', '--json'], Buffer.from(original, 'latin1'))
    const inOrder = (text: string): readonly string[] => text.replaceAll('"topic":"original"', '"topic":"copy"').split('\n').toSorted()
    expect(inOrder(await consume('copy', '-o', 'json'))).toEqual(inOrder(original))
    const format = ['-f', '%p %o %T %K %k %S %s %h;']
    expect((await consume('copy', ...format)).split(';').toSorted()).toEqual((await consume(topic, ...format)).split(';').toSorted())
  })

  describe.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])('%s', (codec) => {
    test('is written and read back', async () => {
      const topic = await aTopic(`codec-${codec}`)
      const lines = Array.from({ length: 500 }, (_, index) => `${index} ${'y'.repeat(100)}\n`).join('')
      await printed(kafka, ['produce', topic, '-z', codec], lines)
      expect(await consume(topic)).toBe(lines)
    })
  })

  test('records of a megabyte go in and out', async () => {
    const topic = await aTopic('large', { configs: { 'max.message.bytes': '3000000' } })
    const lines = ['a', 'b', 'c'].map((letter) => `${letter.repeat(1024 * 1024)}\n`).join('')
    await printed(kafka, ['produce', topic], lines)
    expect((await consume(topic)) === lines).toBe(true)
  })

  test('a batch that is too large for the topic is cut, and a record that is, is named by its line', async () => {
    const topic = await aTopic('small', { configs: { 'max.message.bytes': '2000' } })
    const lines = Array.from({ length: 200 }, (_, index) => `${index} ${'z'.repeat(50)}\n`)
    await printed(kafka, ['produce', topic], lines.join(''))
    expect(await consume(topic)).toBe(lines.join(''))

    const { code, stderr } = await runCommand(kafka, ['produce', topic], `one\ntwo\n${'z'.repeat(3_000)}\nfour\n`)
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^error: 2 records are written to small, then line 3 was rejected by the cluster \(LKS-4102\)\n {2}why: MESSAGE_TOO_LARGE/,
    )
    expect(await consume(topic, '-O', '200')).toBe('one\ntwo\n')
  })

  test('keys go where Kafka puts them; -k, -K, -H, -Z, -p say what a line becomes, and -o json where it is', async () => {
    const topic = await aTopic('forms', { partitions: 4 })
    expect(
      await printed(
        kafka,
        ['produce', topic, '-K', ':', '-H', 'a=1', '-H', 'b=', '-H', 'c', '-Z', '-p', '2', '-o', 'name'],
        'k:v\n:v\nk:\nno key\n',
      ),
    ).toBe('forms[2]@0\nforms[2]@1\nforms[2]@2\nforms[2]@3\n')
    expect(await printed(kafka, ['produce', topic, '-k', 'foobar', '-o', 'json'], 'v')).toBe('{"topic":"forms","partition":2,"offset":4}\n')
    expect(await consume(topic, '-f', '%K|%k|%S|%s|%h\n')).toBe(
      ['1|k|1|v|a=1,b=,c=NULL', '-1||1|v|a=1,b=,c=NULL', '1|k|-1||a=1,b=,c=NULL', '-1||6|no key|a=1,b=,c=NULL', '6|foobar|1|v|', ''].join(
        '\n',
      ),
    )
  })

  test('--delimiter ends records with any bytes, and --whole makes one record of all of the input', async () => {
    const topic = await aTopic('delimited')
    await printed(kafka, ['produce', topic, '-D', String.raw`\0`], 'a\nb\0c\0')
    await printed(kafka, ['produce', topic, '--whole'], 'line 1\nline 2\n')
    expect(await consume(topic, '-f', '[%s]')).toBe('[a\nb][c][line 1\nline 2\n]')
  })

  test('an offset of the command line means what it says', async () => {
    const topic = await aTopic('offsets')
    const before = Date.now()
    await printed(
      kafka,
      ['produce', topic, '--json'],
      Array.from({ length: 10 }, (_, at) => `{"value":"${at}","timestamp":${before - 1_000_000 + at * 100_000}}\n`).join(''),
    )
    const values = async (offset: string): Promise<string> => (await consume(topic, '-O', offset)).replaceAll('\n', '')
    expect(await values('start')).toBe('0123456789')
    expect(await values('end')).toBe('')
    expect(await values('7')).toBe('789')
    expect(await values('100')).toBe('')
    expect(await values('+8')).toBe('89')
    expect(await values('-3')).toBe('789')
    expect(await values('-300')).toBe('0123456789')
    expect(await values('3:5')).toBe('34')
    expect(await values(':2')).toBe('01')
    expect(await values('8:100')).toBe('89')
    expect(await values(`@${before - 300_000}`)).toBe('789')
    expect(await values(`@${before - 350_000}:${before - 200_000}`)).toBe('7')
    expect(await values('@:-8m')).toBe('012345')
    expect(await values(`@${before + 1_000_000}`)).toBe('')
    // A range has an end of its own, so that nothing is followed.
    expect((await printed(kafka, ['consume', topic, '-O', '-2:end'])).replaceAll('\n', '')).toBe('89')
    expect((await printed(kafka, ['consume', topic, '-n', '3', '-O', '2'])).replaceAll('\n', '')).toBe('234')
    expect((await consume(topic, '--grep', '4')).replaceAll('\n', '')).toBe('4')
    expect((await consume(topic, '--grep', '/[2-4]/')).replaceAll('\n', '')).toBe('234')
  })

  test('a record of LogAppendTime has the time of its append', async () => {
    const topic = await aTopic('append-time', { configs: { 'message.timestamp.type': 'LogAppendTime' } })
    await printed(kafka, ['produce', topic, '--json'], '{"value":"v","timestamp":1000}\n')
    expect(Number(await consume(topic, '-f', '%T'))).toBeGreaterThan(1_700_000_000_000)
  })

  test('it follows until Ctrl-C, which does not count as a failure', async () => {
    const topic = await aTopic('follow', { partitions: 2 })
    const follower = startCommand(kafka, ['consume', topic, '-f', '%s\\n'])
    for (const value of ['one', 'two', 'three']) {
      await printed(kafka, ['produce', topic], `${value}\n`)
      await expect.poll(() => follower.stdout(), eventually).toContain(`${value}\n`)
    }
    const admin = new Admin({ clientId: 'e2e', bootstrapBrokers: [kafka] })
    await admin.createPartitions({ topics: [{ name: topic, count: 3 }] })
    await admin.close()
    await printed(kafka, ['produce', topic, '-p', '2'], 'in a new partition\n')
    await expect.poll(() => follower.stdout(), eventually).toContain('in a new partition\n')
    expect(await follower.kill('SIGINT')).toMatchObject({ code: 0, stderr: '' })
  })

  test('a member of a group goes on behind what was printed, and the group shares the partitions', async () => {
    const topic = await aTopic('shared', { partitions: 4 })
    const all = (text: string, count: number): string => Array.from({ length: count }, (_, at) => `${text}${at}:v\n`).join('')
    await printed(kafka, ['produce', topic, '-K', ':'], all('a', 40))
    const args = ['consume', topic, '-g', 'sharers', '-f', '%k\\n']
    expect(linesOf(await printed(kafka, [...args, '-n', '15']))).toHaveLength(15)
    const rest = linesOf(await printed(kafka, [...args, '-e']))
    expect(rest).toHaveLength(25)
    expect(linesOf(await printed(kafka, [...args, '-e']))).toEqual([])

    const members = [startCommand(kafka, args), startCommand(kafka, args)]
    const assigned = /reading shared\[\d,\d\]\n$/
    await expect.poll(() => members.map((member) => assigned.test(member.stderr())), eventually).toEqual([true, true])
    await printed(kafka, ['produce', topic, '-K', ':'], all('b', 40))
    const taken = (): readonly string[] => members.flatMap((member) => linesOf(member.stdout()))
    await expect.poll(() => taken().length, eventually).toBe(40)
    for (const member of members) expect(linesOf(member.stdout()).length).toBeGreaterThan(0)
    expect(taken().toSorted()).toEqual(
      linesOf(all('b', 40))
        .map((line) => line.slice(0, -2))
        .toSorted(),
    )
    const [first, second] = members
    expect((await first?.kill('SIGINT'))?.code).toBe(0)
    await expect.poll(() => second?.stderr(), eventually).toMatch(/reading shared\[0,1,2,3\]\n$/)
    await printed(kafka, ['produce', topic, '-K', ':'], all('c', 8))
    await expect.poll(() => taken().length, eventually).toBe(48)
    expect((await second?.kill('SIGINT'))?.code).toBe(0)
    expect(linesOf(await printed(kafka, [...args, '-e']))).toEqual([])
  })

  test('an invalid line stops it, and the records before it are written', async () => {
    const topic = await aTopic('stopped')
    const { code, stderr } = await runCommand(kafka, ['produce', topic, '--json'], '{"value":"a"}\n{"value":"b"}\noops\n{"value":"c"}\n')
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^error: line 3 cannot be written: it is not valid JSON: .*\(LKS-4101\)\n {2}why: 2 records are written to stopped: all lines before it\n/,
    )
    expect(await consume(topic)).toBe('a\nb\n')
    const endless = await runCommand(
      kafka,
      ['produce', topic],
      Buffer.concat([Buffer.from('c\n'), Buffer.alloc(100 * 1024 * 1024 + 1, 'x')]),
    )
    expect(endless.stderr).toMatch(/^error: line 2 cannot be written: it is longer than 100 MiB .*\n {2}why: 1 record is written/)
    expect(await consume(topic)).toBe('a\nb\nc\n')
    const elsewhere = await runCommand(kafka, ['produce', topic, '--json'], '{"value":"d","partition":7}\n')
    expect(elsewhere.stderr).toContain(
      'line 1 cannot be written: stopped has no partition 7, only 1 partition; with -p any the keys decide',
    )
    expect(elsewhere.code).toBe(1)
  })

  test('a topic that is not there is made by writing to it, not by reading', async () => {
    const unread = await runCommand(kafka, ['consume', 'unread', '-e'])
    expect(unread).toMatchObject({ code: 1, stderr: expect.stringContaining("there is no topic 'unread' (LKS-4008)") })
    expect((await runCommand(kafka, ['produce', 'made'], 'v\n')).stderr).toMatch(
      /^topic made did not exist: the cluster created it with \d+ partitions?\n$/,
    )
    expect(await consume('made')).toBe('v\n')
    expect(await runCommand(kafka, ['produce', 'made'], 'w\n')).toMatchObject({ code: 0, stderr: '' })
    expect((await runCommand(kafka, ['produce', 'made', '-p', '9'], 'v\n')).stderr).toContain('topic made has no partition 9')
  })

  needs('kcat')('what kcat prints with -f is printed, byte for byte, and what kcat writes is read', async () => {
    const topic = await aTopic('as-kcat')
    const headers = ['-H', 'a=1', '-H', 'empty=', '-H', 'none']
    await runProgram('kcat', ['-b', kafka, '-P', '-t', topic, '-p', '0', '-K', ':', '-Z', ...headers], {
      input: 'k:v\n:no key\nk:\n\u00fc:\u{1f600}\n',
    })
    for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
      await runProgram('kcat', ['-b', kafka, '-P', '-t', topic, '-p', '0', '-z', codec], {
        input: `${`${codec} `.repeat(20)}\n`.repeat(20),
      })
    }
    for (const format of ['%s\\n', '%t[%p]@%o %T %k|%K|%s|%S|%h;', '\\x41\\033[0m\\t\\101 %% \\q\\\\n', 'ü%oü\\r\\n', '%R']) {
      const { stdout } = await runProgram('kcat', ['-b', kafka, '-C', '-t', topic, '-e', '-q', '-f', format])
      expect(Buffer.from(await consume(topic, '-f', format), 'latin1').toString()).toBe(stdout)
    }
  })

  test('query finds by key, text and time, and says how far it looked', async () => {
    const topic = await aTopic('asked', { partitions: 2 })
    const now = Date.now()
    const line = (key: string, value: string, minutes: number): string =>
      `${JSON.stringify({ key, value, partition: 1, timestamp: now - minutes * 60_000 })}\n`
    await printed(kafka, ['produce', topic, '--json'], line('a', 'old', 90) + line('b', 'x\ty', 30) + line('a', 'new', 10))
    const query = (...args: readonly string[]) => runCommand(kafka, ['query', topic, ...args])
    const found = await query('--key', 'a')
    expect(
      found.stdout.split('\n').map((row) =>
        row
          .split(/ {2,}/)
          .filter((cell) => cell !== '' && !cell.endsWith('Z'))
          .join('|'),
      ),
    ).toEqual(['PARTITION|OFFSET|TIMESTAMP|KEY|VALUE|HEADERS', '1|0|a|old', '1|2|a|new', ''])
    expect(found.stderr).toBe('2 found among 3 records: asked [1] 0 to 2\n')
    expect((await query('--since', '1h', '-o', 'name')).stdout).toBe('asked[1]@1\nasked[1]@2\n')
    expect((await query('--since', '1h', '--until', '20m', '-o', 'name')).stdout).toBe('asked[1]@1\n')
    expect((await query('--grep', 'x\ty', '-o', 'name')).stdout).toBe('asked[1]@1\n')
    expect((await query('-n', '1')).stderr).toBe('1 found among 1 records: asked [1] 0 to 0; stopped at 1, more may match (-n)\n')
    expect((await query('--since', '1m')).stderr).toBe('0 found among 0 records: asked has no records in that time\n')
  })

  test('a reader that has gone ends it quietly', async () => {
    const topic = await aTopic('left')
    await printed(kafka, ['produce', topic], Array.from({ length: 50_000 }, (_, at) => `${at} ${'x'.repeat(100)}\n`).join(''))
    const follower = startCommand(kafka, ['consume', topic])
    await expect.poll(() => follower.stdout().length, eventually).toBeGreaterThan(0)
    await follower.closeStdout()
    await printed(kafka, ['produce', topic], 'one more\n')
    expect(await follower.ended).toMatchObject({ code: 0, stderr: '' })

    const member = startCommand(kafka, ['consume', topic, '-g', 'left'])
    // Half of the topic: several writes have ended, and what they wrote is committed.
    await expect.poll(() => member.stdout().length, eventually).toBeGreaterThan(2_500_000)
    await member.closeStdout()
    await printed(kafka, ['produce', topic], 'and one more\n')
    expect((await member.ended).code).toBe(0)
    // It has left its group: another is not kept waiting until its session is over, and gets what was not printed.
    const rest = await printed(kafka, ['consume', topic, '-g', 'left', '-e'])
    expect(rest).toMatch(/and one more\n$/)
    expect(rest.length).toBeLessThan((await consume(topic)).length)
  })

  test('the server is killed in the middle: every line is written once, in order, and read once', async () => {
    const topic = await aTopic('killed')
    const follower = startCommand(kafka, ['consume', topic])
    const producer = startCommand(kafka, ['produce', topic])
    const lines = Array.from({ length: 3_000 }, (_, at) => `${at} ${'x'.repeat(200)}\n`)
    for (const [at, line] of lines.entries()) {
      producer.write(line)
      if (at === 1_000) await expect.poll(() => follower.stdout().length, eventually).toBeGreaterThan(0)
      if (at === 1_000 || at === 2_000) {
        await cluster.restart()
      }
    }
    producer.endInput()
    expect((await producer.ended).code).toBe(0)
    await expect.poll(() => follower.stdout().length, eventually).toBe(lines.join('').length)
    const { code, stdout } = await follower.kill('SIGINT')
    expect(code).toBe(0)
    expect(stdout === lines.join('')).toBe(true)
  })
})
