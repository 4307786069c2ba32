// Consumer groups under load: members come, go and are killed while a producer writes, the server is killed in mid-rebalance, and nothing is lost.
import { describe, expect } from 'vitest'
import { eventually } from './testing/commands.ts'
import { createTopic, groupOf, type HttpGroup, settled } from './testing/http.ts'
import { type JsonProgram, startJsonProgram } from './testing/json-program.ts'
import { needs, python } from './testing/programs.ts'
import { sharedServer } from './testing/restartable-server.ts'
import { stores } from './testing/stores.ts'

const partitions = 12
const every = Array.from({ length: partitions }, (_, partition) => partition)

describe.each(stores())('on $name', ({ fresh }) => {
  const server = sharedServer(fresh)

  /** Sends no more; then everything acknowledged is read, and the committed offsets are the end offsets. */
  async function readToTheEnd({ group, read, producer }: GroupLoad): Promise<void> {
    await producer.finish()
    const produced = producer.lines
    expect(new Set(produced.map(({ partition }) => partition)).size).toBe(partitions)
    await expect.poll(() => produced.filter(({ partition, offset }) => !read.has(`${partition}:${offset}`)), eventually).toEqual([])
    await expect.poll(async () => (await groupOf(server, group)).lag, eventually).toBe(0)
    const ends = every.map((of) => Math.max(...produced.filter(({ partition }) => partition === of).map(({ offset }) => offset)) + 1)
    const { partitions: rows = [] } = await groupOf(server, group)
    const inOrder = rows.toSorted((one, other) => one.partition - other.partition)
    expect(inOrder.map(({ offset, end }) => ({ offset, end }))).toEqual(ends.map((end) => ({ offset: end, end })))
  }

  describe.each(['range', 'cooperative-sticky'])('%s', (strategy) => {
    /** A topic that a producer writes to all the time, and what the members of a group say of it. */
    async function load(name: string): Promise<GroupLoad> {
      const topic = `${name}-${strategy}`
      await createTopic(server, topic, partitions)
      const group = `group-of-${topic}`
      const read = new Set<string>()
      const committed = new Map<number, number>()
      const producer = startJsonProgram<RecordPlace>(python, ['-c', producerScript, server.kafka, topic])
      const members: JsonProgram<MemberLine>[] = []
      return {
        group,
        read,
        committed,
        producer,
        async acknowledges(more) {
          await producer.printed(producer.lines.length + more)
        },
        join() {
          const member = startJsonProgram<MemberLine>(python, ['-c', memberScript, server.kafka, group, topic, strategy], (line) => {
            if ('offset' in line) read.add(`${line.partition}:${line.offset}`)
            else for (const [of, offset] of line.committed) committed.set(of, Math.max(offset, committed.get(of) ?? 0))
          })
          members.push(member)
          return member
        },
        async [Symbol.asyncDispose]() {
          await Promise.all([producer, ...members].map((each) => each.kill()))
        },
      }
    }

    needs('confluentKafka')('2, 5, 1 members under load, one killed: all is read, committed offsets never go back', async () => {
      await using under = await load('members-die')
      const { group, join: more } = under
      await using watch = watchOffsets(() => groupOf(server, group))
      const leaving = [more(), more()]
      await settled(server, group, { members: 2, partitions })
      await under.acknowledges(200)
      leaving.push(more(), more())
      const last = more()
      await settled(server, group, { members: 5, partitions })
      await under.acknowledges(400)
      await leaving.shift()?.kill()
      await settled(server, group, { members: 4, partitions })
      for (const member of leaving) await member.finish()
      await settled(server, group, { members: 1, partitions })
      await under.acknowledges(200)
      await readToTheEnd(under)
      const { looks, backwards } = await watch.stop()
      expect(backwards).toEqual([])
      expect(looks).toBeGreaterThan(20)
      await last.finish()
      expect(await groupOf(server, group)).toMatchObject({ state: 'Empty', members: [], lag: 0 })
    })

    needs('confluentKafka')('the server is killed in mid-rebalance: no commit is lost, no partition is left unowned', async () => {
      await using under = await load('server-dies')
      const { group, committed, join: more } = under
      const members = [more(), more()]
      await settled(server, group, { members: 2, partitions })
      await under.acknowledges(300)
      await expect.poll(() => committed.size, eventually).toBe(partitions)

      members.push(more())
      // The newcomer's JoinGroup is parked until the others' next heartbeats tell them to join again.
      await expect.poll(async () => (await groupOf(server, group)).state, { ...eventually, interval: 2 }).toBe('PreparingRebalance')
      await server.restart()
      // Said by members before this look at the group: acknowledged, by whichever server.
      const acknowledged = [...committed]
      const { partitions: rows = [] } = await groupOf(server, group)
      const lost = acknowledged.filter(([of, offset]) => (rows.find(({ partition }) => partition === of)?.offset ?? -1) < offset)
      expect(lost).toEqual([])

      await settled(server, group, { members: 3, partitions })
      await under.acknowledges(300)
      await readToTheEnd(under)
      for (const member of members) await member.finish()
      expect(await groupOf(server, group)).toMatchObject({ state: 'Empty', members: [], lag: 0 })
    })
  })
})

interface RecordPlace {
  readonly partition: number
  readonly offset: number
}

/** A line of a member: a record that it read, or partitions with the offsets whose commit was acknowledged. */
type MemberLine = RecordPlace | { readonly committed: readonly (readonly [number, number])[] }

interface GroupLoad extends AsyncDisposable {
  readonly group: string
  /** `partition:offset` */
  readonly read: ReadonlySet<string>
  /** The highest acknowledged commit of each partition. */
  readonly committed: ReadonlyMap<number, number>
  readonly producer: JsonProgram<RecordPlace>
  /** Waits until so many more records were acknowledged. Rejects when the producer ends before. */
  acknowledges(more: number): Promise<void>
  readonly join: () => JsonProgram<MemberLine>
}

/** Looks at the group again and again until stopped; answers each committed offset that was lower than one seen before. */
function watchOffsets(look: () => Promise<HttpGroup>): AsyncDisposable & {
  stop(): Promise<{ readonly looks: number; readonly backwards: readonly string[] }>
} {
  const seen = new Map<number, number>()
  const backwards: string[] = []
  let looks = 0
  let over = false
  const watching = (async () => {
    while (!over) {
      const { partitions: rows = [] } = await look()
      for (const { partition, offset } of rows) {
        const before = seen.get(partition) ?? -1
        if ((offset ?? -1) < before) backwards.push(`partition ${partition}: ${before}, then ${offset}`)
        seen.set(partition, offset ?? -1)
      }
      looks += 1
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  watching.catch(() => {}) // stop() hears of it
  return {
    async stop() {
      over = true
      await watching
      return { looks, backwards }
    },
    async [Symbol.asyncDispose]() {
      over = true
      await watching
    },
  }
}

/** Up to some 500 records a second, round the partitions, until its input ends; a line of JSON per delivery report. */
const producerScript = `
import json, sys, threading
from confluent_kafka import Producer
kafka, topic = sys.argv[1:]
producer = Producer({'bootstrap.servers': kafka, 'enable.idempotence': True, 'linger.ms': 2, 'message.timeout.ms': 90000,
                     'reconnect.backoff.ms': 20, 'reconnect.backoff.max.ms': 200, 'retry.backoff.ms': 20})
failed = []
def report(error, message):
    if error is not None:
        failed.append(str(error))
        return
    print(json.dumps({'partition': message.partition(), 'offset': message.offset()}), flush=True)
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
number = 0
while not ended.wait(0.002) and not failed:
    if len(producer) < 200:
        producer.produce(topic, value='record %d' % number, partition=number % ${partitions}, on_delivery=report)
        number += 1
    producer.poll(0)
left = producer.flush(90)
if failed or left:
    sys.exit('%d left, %s' % (left, failed[:3]))
`

/** Says what it read before its offset may be committed, so that a record committed and never said is a lost one. */
const memberScript = `
import json, sys, threading
from confluent_kafka import Consumer, KafkaError, KafkaException
kafka, group, topic, strategy = sys.argv[1:]
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
def on_commit(error, partitions):
    if error is None:
        done = [[each.partition, each.offset] for each in partitions if each.error is None and each.offset >= 0]
        if done:
            print(json.dumps({'committed': done}), flush=True)
consumer = Consumer({
    'bootstrap.servers': kafka, 'group.id': group, 'partition.assignment.strategy': strategy, 'auto.offset.reset': 'earliest',
    'heartbeat.interval.ms': 400, 'auto.commit.interval.ms': 100, 'reconnect.backoff.ms': 20, 'reconnect.backoff.max.ms': 200,
    'enable.auto.offset.store': False, 'on_commit': on_commit,
})
consumer.subscribe([topic])
while not over.is_set():
    message = consumer.poll(0.1)
    if message is None or message.error() is not None:
        continue
    print(json.dumps({'partition': message.partition(), 'offset': message.offset()}), flush=True)
    try:
        consumer.store_offsets(message)
    except KafkaException as error:
        # The partition was revoked meanwhile. Its new owner reads the record again.
        if error.args[0].code() != KafkaError._STATE:
            raise
consumer.close()
`
