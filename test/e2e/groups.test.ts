// Consumer groups of real clients, unmodified: members come and go, offsets are committed, the server is killed and comes back, Kafka's own tool administers.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Consumer, stringDeserializers } from '@platformatic/kafka'
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { has, kafkaTool, needs, python, run } from './testing/programs.ts'
import { type Folder, type Run, type ServerProcess, startServer, temporaryFolder } from './testing/server.ts'
import { stores } from './testing/stores.ts'

/** One consumer of a group. */
interface Member {
  /** Leaves the group. */
  close(): Promise<void>
}

interface Client {
  readonly name: string
  readonly there: boolean
  /** After the server was away its members go on with their heartbeats; others join again. */
  readonly keepsGeneration: boolean
  join(of: {
    readonly kafka: string
    readonly group: string
    readonly topic: string
    readonly take: (value: string) => void
  }): Promise<Member>
}

interface Joining {
  readonly kafka: string
  readonly group: string
  readonly topic: string
  readonly take: (value: string) => void
}

const clients: readonly Client[] = [
  { name: 'kafkajs', there: true, keepsGeneration: false, join: joinKafkajs },
  { name: '@platformatic/kafka', there: true, keepsGeneration: false, join: joinPlatformatic },
  { name: 'confluent-kafka, eager', there: has.confluentKafka, keepsGeneration: true, join: (of) => joinConfluent(of, 'range') },
  {
    name: 'confluent-kafka, cooperative',
    there: has.confluentKafka,
    keepsGeneration: true,
    join: (of) => joinConfluent(of, 'cooperative-sticky'),
  },
]

const partitions = 6

describe.each(stores())('on $name', ({ fresh }) => {
  let folder: Folder
  let stored: Run
  let server: ServerProcess
  beforeAll(async () => {
    folder = await temporaryFolder()
    stored = fresh(folder.path)
    server = await startServer(stored)
  })
  afterAll(async () => {
    const { code } = await server.stop()
    expect(code).toBe(0)
    await folder[Symbol.asyncDispose]()
  })

  /** Like `kill -9`, then a start at the same addresses, as a client expects from its broker. */
  async function restart(): Promise<void> {
    const { port, urls } = server
    await server.kill()
    const ports = ['--kafka-port', String(port), '--control-port', new URL(urls.control).port, '--data-port', new URL(urls.data).port]
    server = await startServer({ ...stored, ports })
  }

  async function aTopic(name: string): Promise<void> {
    const response = await fetch(`${server.urls.control}/topics`, { method: 'POST', body: JSON.stringify({ name, partitions }) })
    expect(response.status).toBe(200)
  }

  /** One record in each partition. */
  async function produce(topic: string, value: string): Promise<readonly string[]> {
    const values: string[] = []
    for (let partition = 0; partition < partitions; partition += 1) {
      const body = `k:${value} ${partition}`
      const response = await fetch(`${server.urls.data}/topics/${topic}/produce/${partition}`, { method: 'POST', body })
      expect(response.status).toBe(200)
      values.push(`${value} ${partition}`)
    }
    return values
  }

  async function groupOf(group: string): Promise<Group> {
    return (await (await fetch(`${server.urls.control}/groups/${group}`)).json()) as Group
  }

  /** Until the group is stable, has so many members, and each partition is one's. */
  async function settled(group: string, members: number): Promise<Group> {
    await expect
      .poll(async () => {
        const found = await groupOf(group)
        const owned = (found.members ?? []).flatMap(({ assignment }) => assignment?.flatMap((of) => of.partitions) ?? [])
        return { state: found.state, members: found.members?.length, owned: owned.toSorted((a, b) => a - b) }
      }, patiently)
      .toEqual({ state: 'Stable', members, owned: Array.from({ length: partitions }, (_, at) => at) })
    return await groupOf(group)
  }

  describe.each(clients.filter(({ there }) => there))('$name', (client) => {
    test('members come and go, the server is killed in between, and every record is read and committed', async () => {
      const topic = client.name.replaceAll(/\W+/g, '-').replace(/^-/, '')
      const group = `group-of-${topic}`
      await aTopic(topic)
      const taken = new Set<string>()
      const members: Member[] = []
      const more = async (): Promise<number> =>
        members.push(await client.join({ kafka: server.kafka, group, topic, take: (value) => void taken.add(value) }))
      const expected: string[] = []
      const flows = async (value: string): Promise<void> => {
        expected.push(...(await produce(topic, value)))
        await expect.poll(() => expected.filter((one) => !taken.has(one)), patiently).toEqual([])
      }
      try {
        await more()
        await more()
        await settled(group, 2)
        await flows('two members')
        await more()
        await settled(group, 3)
        await flows('three members')
        await members.shift()?.close()
        await members.shift()?.close()
        const { generation } = await settled(group, 1)
        await flows('one member')
        await expect.poll(async () => (await groupOf(group)).lag, patiently).toBe(0)

        await restart()
        expect(await groupOf(group)).toMatchObject({ state: 'Stable', lag: 0 })
        await flows('after a restart')
        const after = await settled(group, 1)
        if (client.keepsGeneration) expect(after.generation).toBe(generation)
        await expect.poll(async () => (await groupOf(group)).lag, patiently).toBe(0)
      } finally {
        await Promise.all(members.map((member) => member.close()))
      }
      expect(await groupOf(group)).toMatchObject({ state: 'Empty', members: [], lag: 0 })
    })
  })

  needs('kcat')('kcat reads as a member, and again from where it was', async () => {
    await aTopic('kcat-group')
    const first = await produce('kcat-group', 'first')
    const consume = async (count: number): Promise<readonly string[]> => {
      const args = ['-b', server.kafka, '-G', 'kcats', '-X', 'auto.offset.reset=earliest', '-q', '-c', String(count), 'kcat-group']
      return linesOf((await run('kcat', args)).stdout).toSorted()
    }
    expect(await consume(partitions)).toEqual(first)
    const second = await produce('kcat-group', 'second')
    expect(await consume(partitions)).toEqual(second)
    expect(await groupOf('kcats')).toMatchObject({ state: 'Empty', lag: 0 })
  })

  needs('kafkaTools')("Kafka's console consumer commits, and kafka-consumer-groups lists, describes, resets and deletes", async () => {
    await aTopic('console-group')
    await produce('console-group', 'first')
    const bootstrap = ['--bootstrap-server', server.kafka]
    const consume = async (count: number): Promise<readonly string[]> => {
      const args = [
        ...bootstrap,
        ...`--topic console-group --group consoles --from-beginning --max-messages ${count} --timeout-ms 60000`.split(' '),
      ]
      return linesOf((await kafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', args)).stdout).toSorted()
    }
    const groups = async (...args: readonly string[]): Promise<string> =>
      (await kafkaTool('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', [...bootstrap, ...args])).stdout
    const all = Array.from({ length: partitions }, (_, partition) => `first ${partition}`)
    expect(await consume(partitions)).toEqual(all)
    await produce('console-group', 'second')
    expect(linesOf(await groups('--list', '--state', 'Empty'))).toContainEqual(expect.stringMatching(/^consoles\s+Empty/))
    // GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG …
    const lags = async (): Promise<readonly string[]> =>
      linesOf(await groups('--describe', '--group', 'consoles'))
        .map((line) => /^consoles\s+console-group\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)/.exec(line))
        .flatMap((found) => (found === null ? [] : [found.slice(1, 5).join(' ')]))
        .toSorted()
    expect(await lags()).toEqual(all.map((_, partition) => `${partition} 1 2 1`))
    const reset = ['--reset-offsets', '--group', 'consoles', '--topic', 'console-group', '--to-earliest']
    await groups(...reset, '--dry-run')
    expect(await lags()).toEqual(all.map((_, partition) => `${partition} 1 2 1`))
    await groups(...reset, '--execute')
    expect(await lags()).toEqual(all.map((_, partition) => `${partition} 0 2 2`))
    expect(await groups('--delete-offsets', '--group', 'consoles', '--topic', 'console-group:0')).toMatch(/Successful/)
    expect(await lags()).toEqual(all.slice(1).map((_, index) => `${index + 1} 0 2 2`))
    expect(await groups('--delete', '--group', 'consoles')).toMatch(/successful/)
    expect(await groups('--list')).not.toContain('consoles')
  })
})

interface Group {
  readonly state: string
  readonly generation: number
  readonly lag: number
  /** Empty if there is no such group. */
  readonly members?: readonly { readonly assignment: readonly { readonly partitions: readonly number[] }[] | null }[]
}

const patiently = { timeout: 60_000, interval: 50 }

async function joinKafkajs({ kafka, group, topic, take }: Joining): Promise<Member> {
  const client = new kafkajs.Kafka({ clientId: 'e2e', brokers: [kafka], logLevel: kafkajs.logLevel.NOTHING })
  // It hears of a rebalance between two fetches only.
  const consumer = client.consumer({ groupId: group, heartbeatInterval: 200, maxWaitTimeInMs: 200 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({ autoCommitThreshold: 1, eachMessage: async ({ message }) => take(String(message.value)) })
  return { close: () => consumer.disconnect() }
}

async function joinPlatformatic({ kafka, group, topic, take }: Joining): Promise<Member> {
  const consumer = new Consumer({
    clientId: 'e2e',
    bootstrapBrokers: [kafka],
    groupId: group,
    deserializers: stringDeserializers,
    autocommit: 100,
    heartbeatInterval: 200,
    retries: 100,
    retryDelay: 100,
  })
  const stream = await consumer.consume({ topics: [topic], mode: 'committed', fallbackMode: 'earliest' })
  stream.on('data', ({ value }) => take(value))
  return {
    async close() {
      // It sends LeaveGroup only over an established connection, which an answered heartbeat shows. Otherwise the member stays until its session times out.
      await once(consumer, 'consumer:heartbeat:end', { signal: AbortSignal.timeout(patiently.timeout) })
      await consumer.close(true)
    },
  }
}

async function joinConfluent({ kafka, group, topic, take }: Joining, strategy: string): Promise<Member> {
  const child = spawn(python, ['-c', confluentScript, kafka, group, topic, strategy], { stdio: ['pipe', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  createInterface(child.stdout).on('line', (line) => take(JSON.parse(line) as string))
  const ended = once(child, 'close')
  return {
    async close() {
      child.stdin.end()
      const [code] = (await ended) as [number | null]
      if (code !== 0) throw new Error(`the consumer ended with ${code}:\n${stderr}`)
    },
  }
}

const confluentScript = `
import json, sys, threading
from confluent_kafka import Consumer
kafka, group, topic, strategy = sys.argv[1:]
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
consumer = Consumer({
    'bootstrap.servers': kafka, 'group.id': group, 'partition.assignment.strategy': strategy, 'auto.offset.reset': 'earliest',
    'heartbeat.interval.ms': 200, 'auto.commit.interval.ms': 100, 'reconnect.backoff.max.ms': 200,
})
consumer.subscribe([topic])
while not over.is_set():
    message = consumer.poll(0.1)
    if message is not None and message.error() is None:
        print(json.dumps(message.value().decode()), flush=True)
consumer.close()
`

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '')
}
