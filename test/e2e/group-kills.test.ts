// Consumer groups under load: members come, go and are killed while a producer writes, the server is killed in mid-rebalance, and nothing is lost.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { needs, python } from './testing/programs.ts'
import { type Folder, type Run, type ServerProcess, startServer, temporaryFolder } from './testing/server.ts'
import { stores } from './testing/stores.ts'

const partitions = 12
const every = Array.from({ length: partitions }, (_, partition) => partition)
const patiently = { timeout: 40_000, interval: 50 }

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

  /** At the same addresses, as a client expects of its broker. */
  async function startAgain(): Promise<void> {
    const { port, urls } = server
    const ports = ['--kafka-port', String(port), '--control-port', new URL(urls.control).port, '--data-port', new URL(urls.data).port]
    server = await startServer({ ...stored, ports })
  }

  async function groupOf(group: string): Promise<Group> {
    return (await (await fetch(`${server.urls.control}/groups/${group}`)).json()) as Group
  }

  /** Until the group is stable, has so many members, and each partition is one's. */
  async function settled(group: string, members: number): Promise<void> {
    await expect
      .poll(async () => {
        const found = await groupOf(group)
        const owned = (found.members ?? []).flatMap(({ assignment }) => assignment?.flatMap((of) => of.partitions) ?? [])
        return { state: found.state, members: found.members?.length, owned: owned.toSorted((a, b) => a - b) }
      }, patiently)
      .toEqual({ state: 'Stable', members, owned: every })
  }

  /** Sends no more; then everything acknowledged is read, and the committed offsets are the end offsets. */
  async function readToTheEnd({ group, read, producer }: Load): Promise<void> {
    const produced = await producer.stop()
    expect(new Set(produced.map(({ partition }) => partition)).size).toBe(partitions)
    await expect.poll(() => produced.filter(({ partition, offset }) => !read.has(`${partition}:${offset}`)), patiently).toEqual([])
    await expect.poll(async () => (await groupOf(group)).lag, patiently).toBe(0)
    const ends = every.map((of) => Math.max(...produced.filter(({ partition }) => partition === of).map(({ offset }) => offset)) + 1)
    const { partitions: rows = [] } = await groupOf(group)
    const inOrder = rows.toSorted((one, other) => one.partition - other.partition)
    expect(inOrder.map(({ offset, end }) => ({ offset, end }))).toEqual(ends.map((end) => ({ offset: end, end })))
  }

  describe.each(['range', 'cooperative-sticky'])('%s', (strategy) => {
    /** A topic that a producer writes to all the time, and what the members of a group say of it. */
    async function load(name: string): Promise<Load> {
      const topic = `${name}-${strategy}`
      const response = await fetch(`${server.urls.control}/topics`, { method: 'POST', body: JSON.stringify({ name: topic, partitions }) })
      expect(response.status).toBe(200)
      const group = `group-of-${topic}`
      const read = new Set<string>()
      const committed = new Map<number, number>()
      const producer = produce(server.kafka, topic)
      const members: Member[] = []
      return {
        group,
        read,
        committed,
        producer,
        join() {
          const member = join([server.kafka, group, topic, strategy], (said) => {
            if ('offset' in said) read.add(`${said.partition}:${said.offset}`)
            else for (const [of, offset] of said.committed) committed.set(of, Math.max(offset, committed.get(of) ?? 0))
          })
          members.push(member)
          return member
        },
        async [Symbol.asyncDispose]() {
          await Promise.all([producer.kill(), ...members.map((member) => member.kill())])
        },
      }
    }

    needs('confluentKafka')('2, 5, 1 members under load, one killed: all is read, committed offsets never go back', async () => {
      await using under = await load('members-die')
      const { group, join: more } = under
      await using watch = watchOffsets(() => groupOf(group))
      const leaving = [more(), more()]
      await settled(group, 2)
      await under.producer.acknowledged(200)
      leaving.push(more(), more())
      const last = more()
      await settled(group, 5)
      await under.producer.acknowledged(400)
      await leaving.shift()?.kill()
      await settled(group, 4)
      for (const member of leaving) await member.close()
      await settled(group, 1)
      await under.producer.acknowledged(200)
      await readToTheEnd(under)
      const { looks, backwards } = await watch.stop()
      expect(backwards).toEqual([])
      expect(looks).toBeGreaterThan(20)
      await last.close()
      expect(await groupOf(group)).toMatchObject({ state: 'Empty', members: [], lag: 0 })
    })

    needs('confluentKafka')('the server is killed in mid-rebalance: no commit is lost, no partition is left unowned', async () => {
      await using under = await load('server-dies')
      const { group, committed, join: more } = under
      const members = [more(), more()]
      await settled(group, 2)
      await under.producer.acknowledged(300)
      await expect.poll(() => committed.size, patiently).toBe(partitions)

      members.push(more())
      // The newcomer's JoinGroup is parked until the others' next heartbeats tell them to join again.
      await expect.poll(async () => (await groupOf(group)).state, { ...patiently, interval: 2 }).toBe('PreparingRebalance')
      await server.kill()
      await startAgain()
      // Said by members before this look at the group: acknowledged, by whichever server.
      const acknowledged = [...committed]
      const { partitions: rows = [] } = await groupOf(group)
      const lost = acknowledged.filter(([of, offset]) => (rows.find(({ partition }) => partition === of)?.offset ?? -1) < offset)
      expect(lost).toEqual([])

      await settled(group, 3)
      await under.producer.acknowledged(300)
      await readToTheEnd(under)
      for (const member of members) await member.close()
      expect(await groupOf(group)).toMatchObject({ state: 'Empty', members: [], lag: 0 })
    })
  })
})

/** `GET /groups/{group}`; a problem document without these fields until the group exists. */
interface Group {
  readonly state: string
  readonly lag: number
  readonly members?: readonly { readonly assignment: readonly { readonly partitions: readonly number[] }[] | null }[]
  readonly partitions?: readonly { readonly partition: number; readonly offset: number | null; readonly end: number }[]
}

interface Place {
  readonly partition: number
  readonly offset: number
}

/** A line of a member: a record that it read, or partitions with the offsets whose commit was acknowledged. */
type Said = Place | { readonly committed: readonly (readonly [number, number])[] }

interface Load extends AsyncDisposable {
  readonly group: string
  /** `partition:offset` */
  readonly read: ReadonlySet<string>
  /** The highest acknowledged commit of each partition. */
  readonly committed: ReadonlyMap<number, number>
  readonly producer: Producer
  readonly join: () => Member
}

interface Producer {
  /** Until so many more records were acknowledged. Rejects when the producer ends before. */
  acknowledged(more: number): Promise<void>
  /** Sends no more, waits until everything is acknowledged, and answers where it all is. */
  stop(): Promise<readonly Place[]>
  kill(): Promise<void>
}

interface Member {
  /** Commits, leaves the group and ends. Rejects when it fails. */
  close(): Promise<void>
  /** Like `kill -9`, after its earlier output was read. */
  kill(): Promise<void>
}

function produce(kafka: string, topic: string): Producer {
  const reports: Place[] = []
  const waiting: { readonly count: number; readonly resolve: () => void }[] = []
  const child = startPython([producerScript, kafka, topic], (line) => {
    reports.push(JSON.parse(line) as Place)
    for (const { count, resolve } of waiting) if (reports.length >= count) resolve()
  })
  return {
    async acknowledged(more) {
      const count = reports.length + more
      await Promise.race([new Promise<void>((resolve) => waiting.push({ count, resolve })), child.succeeded])
      if (reports.length < count) throw new Error('the producer ended early')
    },
    async stop() {
      await child.finish()
      return reports
    },
    kill: () => child.kill(),
  }
}

function join(args: readonly string[], hear: (said: Said) => void): Member {
  const child = startPython([memberScript, ...args], (line) => hear(JSON.parse(line) as Said))
  return { close: () => child.finish(), kill: () => child.kill() }
}

interface Python {
  readonly succeeded: Promise<void>
  /** Ends its input, upon which it ends. */
  finish(): Promise<void>
  kill(): Promise<void>
}

function startPython([script = '', ...args]: readonly string[], onLine: (line: string) => void): Python {
  const child: ChildProcess = spawn(python, ['-c', script, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  if (child.stdout !== null) createInterface(child.stdout).on('line', onLine)
  const ended = once(child, 'close')
  const succeeded = ended.then(([code, signal]: unknown[]) => {
    if (code !== 0) throw new Error(`python ended with ${String(code ?? signal)}:\n${stderr}`)
  })
  succeeded.catch(() => {}) // the caller of finish gets the rejection; a killed one is meant to fail
  return {
    succeeded,
    async finish() {
      child.stdin?.end()
      await succeeded
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Looks at the group again and again until stopped; answers each committed offset that was lower than one seen before. */
function watchOffsets(look: () => Promise<Group>): AsyncDisposable & {
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
    except KafkaException as refused:
        # Taken away since: whoever has it now reads it again.
        if refused.args[0].code() != KafkaError._STATE:
            raise
consumer.close()
`
