// Consumer groups of real clients, unmodified: members come and go, offsets are committed, the server is killed and comes back, Kafka's own tool administers.
import { once } from 'node:events'
import { Consumer, stringDeserializers } from '@platformatic/kafka'
import kafkajs from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { runProgram } from '../../packages/sim/src/program.ts'
import { eventually } from './testing/commands.ts'
import { createTopic, groupOf, produceToEach, settled } from './testing/http.ts'
import { startJsonProgram } from './testing/json-program.ts'
import { has, kafkaTool, linesOf, needs, python } from './testing/programs.ts'
import { sharedServer } from './testing/restartable-server.ts'
import { stores } from './testing/stores.ts'

/** One consumer of a group. */
interface JoinedClient {
  /** Leaves the group. */
  close(): Promise<void>
}

interface JoiningClient {
  readonly name: string
  readonly there: boolean
  /** After the server was away its members go on with their heartbeats; others join again. */
  readonly keepsGeneration: boolean
  join(as: Joining): Promise<JoinedClient>
}

interface Joining {
  readonly kafka: string
  readonly group: string
  readonly topic: string
  readonly take: (value: string) => void
}

const clients: readonly JoiningClient[] = [
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
  const server = sharedServer(fresh)
  const produce = (topic: string, value: string): Promise<readonly string[]> => produceToEach(server, topic, partitions, value)

  describe.each(clients.filter(({ there }) => there))('$name', (client) => {
    test('members come and go, the server is killed in between, and every record is read and committed', async () => {
      const topic = client.name.replaceAll(/\W+/g, '-').replace(/^-/, '')
      const group = `group-of-${topic}`
      await createTopic(server, topic, partitions)
      const taken = new Set<string>()
      const members: JoinedClient[] = []
      const more = async (): Promise<number> =>
        members.push(await client.join({ kafka: server.kafka, group, topic, take: (value) => void taken.add(value) }))
      const expected: string[] = []
      const flows = async (value: string): Promise<void> => {
        expected.push(...(await produce(topic, value)))
        await expect.poll(() => expected.filter((one) => !taken.has(one)), eventually).toEqual([])
      }
      try {
        await more()
        await more()
        await settled(server, group, { members: 2, partitions })
        await flows('two members')
        await more()
        await settled(server, group, { members: 3, partitions })
        await flows('three members')
        await members.shift()?.close()
        await members.shift()?.close()
        const { generation } = await settled(server, group, { members: 1, partitions })
        await flows('one member')
        await expect.poll(async () => (await groupOf(server, group)).lag, eventually).toBe(0)

        await server.restart()
        expect(await groupOf(server, group)).toMatchObject({ state: 'Stable', lag: 0 })
        await flows('after a restart')
        const after = await settled(server, group, { members: 1, partitions })
        if (client.keepsGeneration) expect(after.generation).toBe(generation)
        await expect.poll(async () => (await groupOf(server, group)).lag, eventually).toBe(0)
      } finally {
        await Promise.all(members.map((member) => member.close()))
      }
      expect(await groupOf(server, group)).toMatchObject({ state: 'Empty', members: [], lag: 0 })
    })
  })

  needs('kcat')('kcat reads as a member, and again from where it was', async () => {
    await createTopic(server, 'kcat-group', partitions)
    const first = await produce('kcat-group', 'first')
    const consume = async (count: number): Promise<readonly string[]> => {
      const args = ['-b', server.kafka, '-G', 'kcats', '-X', 'auto.offset.reset=earliest', '-q', '-c', String(count), 'kcat-group']
      return linesOf((await runProgram('kcat', args)).stdout).toSorted()
    }
    expect(await consume(partitions)).toEqual(first)
    const second = await produce('kcat-group', 'second')
    expect(await consume(partitions)).toEqual(second)
    expect(await groupOf(server, 'kcats')).toMatchObject({ state: 'Empty', lag: 0 })
  })

  needs('kafkaTools')("Kafka's console consumer commits, and kafka-consumer-groups lists, describes, resets and deletes", async () => {
    await createTopic(server, 'console-group', partitions)
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

async function joinKafkajs({ kafka, group, topic, take }: Joining): Promise<JoinedClient> {
  const client = new kafkajs.Kafka({ clientId: 'e2e', brokers: [kafka], logLevel: kafkajs.logLevel.NOTHING })
  // It hears of a rebalance between two fetches only.
  const consumer = client.consumer({ groupId: group, heartbeatInterval: 200, maxWaitTimeInMs: 200 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({ autoCommitThreshold: 1, eachMessage: async ({ message }) => take(String(message.value)) })
  return { close: () => consumer.disconnect() }
}

async function joinPlatformatic({ kafka, group, topic, take }: Joining): Promise<JoinedClient> {
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
      await once(consumer, 'consumer:heartbeat:end', { signal: AbortSignal.timeout(eventually.timeout) })
      await consumer.close(true)
    },
  }
}

async function joinConfluent({ kafka, group, topic, take }: Joining, strategy: string): Promise<JoinedClient> {
  const member = startJsonProgram(python, ['-c', confluentScript, kafka, group, topic, strategy], take)
  return { close: () => member.finish() }
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
