// kill -9 in the middle of produce, restart, and every acknowledged record is there exactly once, at its acknowledged offset.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { needs, python } from './testing/programs.ts'
import { type Folder, startServer, temporaryFolder } from './testing/server.ts'
import { stores } from './testing/stores.ts'

/** One delivery report of the producer. */
interface Acknowledged {
  readonly partition: number
  readonly offset: number
  readonly value: string
}

describe.each(stores())('on $name', ({ fresh }) => {
  let folder: Folder
  beforeAll(async () => {
    folder = await temporaryFolder()
  })
  afterAll(() => folder[Symbol.asyncDispose]())

  needs('confluentKafka')('an idempotent producer goes on over three kills as if there were none', async () => {
    const run = fresh(folder.path)
    let server = await startServer(run)
    // The same addresses after each restart, as a client expects of its broker.
    const ports = [
      '--kafka-port',
      String(server.port),
      '--control-port',
      portOf(server.urls.control),
      '--data-port',
      portOf(server.urls.data),
    ]
    const producer = produceForAsLongAs(server.kafka, 'survivors')
    try {
      for (let kill = 1; kill <= 3; kill++) {
        await producer.acknowledged(kill * 400)
        await server.kill()
        server = await startServer({ ...run, ports })
      }
      await producer.acknowledged(3 * 400 + 200)
      const reports = await producer.stop()

      const found = new Map<number, readonly string[]>()
      for (const partition of [0, 1, 2]) found.set(partition, await valuesOf(server.urls.data, 'survivors', partition))
      for (const { partition, offset, value } of reports)
        expect(found.get(partition)?.[offset], `offset ${offset} of ${partition}`).toBe(value)
      const all = [...found.values()].flat()
      expect(new Set(all).size, 'no record twice').toBe(all.length)
      // All were acknowledged in the end, so nothing else is there; and of each partition in the order in which it was sent.
      expect(all.toSorted()).toEqual(reports.map(({ value }) => value).toSorted())
      for (const values of found.values()) expect(values).toEqual([...values].toSorted((one, other) => numberOf(one) - numberOf(other)))
    } finally {
      producer.kill()
      await server.stop()
    }
  })
})

interface RunningProducer {
  /** Settles when so many records were acknowledged. Rejects when the producer ends before. */
  acknowledged(count: number): Promise<void>
  /** Sends no more, waits until everything is acknowledged, and answers all reports. */
  stop(): Promise<readonly Acknowledged[]>
  kill(): void
}

function produceForAsLongAs(bootstrap: string, topic: string): RunningProducer {
  const child = spawn(python, ['-c', producerScript, bootstrap, topic], { stdio: ['pipe', 'pipe', 'pipe'] })
  const reports: Acknowledged[] = []
  const waiting: { readonly count: number; readonly resolve: () => void }[] = []
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  createInterface(child.stdout).on('line', (line) => {
    reports.push(JSON.parse(line) as Acknowledged)
    for (const { count, resolve } of waiting) if (reports.length >= count) resolve()
  })
  const ended = once(child, 'close').then(([code]: unknown[]) => {
    if (code !== 0) throw new Error(`the producer ended with ${String(code)}:\n${stderr}`)
  })
  ended.catch(() => {}) // the wait below gets the rejection
  return {
    acknowledged: (count) => Promise.race([new Promise<void>((resolve) => waiting.push({ count, resolve })), ended]),
    async stop() {
      child.stdin.end()
      await ended
      return reports
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

/** Produces to three partitions until its input ends; one line of JSON per delivery report; fails when a report is an error. */
const producerScript = `
import json, sys, threading
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
bootstrap, topic = sys.argv[1:]
admin = AdminClient({'bootstrap.servers': bootstrap})
for future in admin.create_topics([NewTopic(topic, 3, 1)]).values():
    future.result(30)
producer = Producer({'bootstrap.servers': bootstrap, 'enable.idempotence': True, 'linger.ms': 2, 'message.timeout.ms': 90000,
                     'reconnect.backoff.ms': 20, 'reconnect.backoff.max.ms': 200, 'retry.backoff.ms': 20, 'batch.num.messages': 10})
failed = []
def report(error, message):
    if error is not None:
        failed.append(str(error))
        return
    print(json.dumps({'partition': message.partition(), 'offset': message.offset(), 'value': message.value().decode()}), flush=True)
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
number = 0
while not ended.is_set() and not failed:
    if len(producer) < 200:
        producer.produce(topic, value='record %d' % number, partition=number % 3, on_delivery=report)
        number += 1
    producer.poll(0.001)
left = producer.flush(90)
if failed or left:
    sys.exit('%d left, %s' % (left, failed[:3]))
`

async function valuesOf(data: string, topic: string, partition: number): Promise<readonly string[]> {
  const values: string[] = []
  for (let next = 0; ; ) {
    const answer = await fetch(`${data}/topics/${topic}/messages/${partition}?offset=${next}&limit=1000`)
    const page = (await answer.json()) as {
      readonly records: readonly { readonly offset: number; readonly value: string }[]
      readonly next: number
      readonly highWatermark: number
    }
    for (const { offset, value } of page.records) values[offset] = value
    next = page.next
    if (next >= page.highWatermark) return values
  }
}

function numberOf(value: string): number {
  return Number(value.slice('record '.length))
}

function portOf(url: string): string {
  return new URL(url).port
}
