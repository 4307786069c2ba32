// lks exec, a Kafka around a command, and lks without a command.
import { describe, expect, test } from 'vitest'
import { startProgram } from '../../packages/sim/src/program.ts'
import { lksWords } from './testing/client-command.ts'
import { expectError } from './testing/commands.ts'
import { lks } from './testing/server.ts'

describe('exec', () => {
  const node = (code: string): readonly string[] => ['--', process.execPath, '-e', code]

  test('the command finds a Kafka with its topics, and its exit code is ours', async () => {
    const inner = lksWords.map((word) => `'${word}'`).join(' ')
    const ended = await lks(['exec', '--topic', 'orders:3', '--topic', 'audit', '--', 'sh', '-c', `${inner} topic list -o json; exit 7`])
    expect(JSON.parse(ended.stdout)).toMatchObject([
      { name: 'audit', partitions: 1 },
      { name: 'orders', partitions: 3 },
    ])
    expect(ended).toMatchObject({ code: 7, stderr: expect.stringContaining('in-memory Kafka server on 127.0.0.1:') })
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
    const [program, ...words] = lksWords
    const code = "process.on('SIGTERM', () => process.exit(9)); setInterval(() => {}, 1000); console.log('up')"
    await using running = startProgram(program, [...words, 'exec', ...node(code)])
    await running.firstLine()
    expect(await running.kill('SIGTERM')).toMatchObject({ code: 9, signal: null })
    const killed = await lks(['exec', ...node("process.kill(process.pid, 'SIGKILL')")])
    expect(killed.code).toBe(128 + 9)
  })

  test('a command that is not there, and topics that cannot be', async () => {
    expectError(await lks(['exec', 'no-such-command-anywhere']), 'LKS-4016', /'no-such-command-anywhere' cannot be started/)
    expectError(await lks(['exec', '--topic', 'a:0', '--', 'true']), 'LKS-1004', /not a valid topic with a partition count/, 2)
    expectError(await lks(['exec', '--topic', 'no/name', '--', 'true']), 'LKS-1004', /no\/name/, 2)
    expectError(await lks(['exec']), 'LKS-1008', /command/, 2)
  })
})

test('lks alone and lks --help are the overview; a group without its command is a wrong call', async () => {
  const alone = await lks([])
  expect(alone).toMatchObject({ code: 0, stderr: '' })
  expect(alone.stdout).toMatch(/^ {2}topic +Topics: list, create/m)
  expect((await lks(['--help'])).stdout).toBe(alone.stdout)
  expectError(await lks(['topic']), 'LKS-1008', /lks topic --help/, 2)
  expectError(await lks(['-b', 'a:1', 'topic', 'list']), 'LKS-1008', /put options after the command/, 2)
  expect(JSON.parse((await lks(['version', '--json'])).stdout)).toMatchObject({ lks: expect.stringMatching(/^\d+\./) })
})
