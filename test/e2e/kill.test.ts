// kill -9 in the middle of produce, restart, and every acknowledged record is there exactly once, at its acknowledged offset.
import { describe, expect } from 'vitest'
import { topicValues } from './testing/http.ts'
import { startJsonProgram } from './testing/json-program.ts'
import { needs, python } from './testing/programs.ts'
import { sharedServer } from './testing/restartable-server.ts'
import { stores } from './testing/stores.ts'

/** One delivery report of the producer. */
interface Acknowledged {
  readonly partition: number
  readonly offset: number
  readonly value: string
}

describe.each(stores())('on $name', ({ fresh }) => {
  const server = sharedServer(fresh)

  needs('confluentKafka')('an idempotent producer goes on over three kills as if there were none', async () => {
    await using producer = startJsonProgram<Acknowledged>(python, ['-c', producerScript, server.kafka, 'survivors'])
    for (let kill = 1; kill <= 3; kill++) {
      await producer.printed(kill * 400)
      await server.restart()
    }
    await producer.printed(3 * 400 + 200)
    await producer.finish()
    const reports = producer.lines

    const found = await Promise.all([0, 1, 2].map((partition) => topicValues(server, 'survivors', partition)))
    for (const { partition, offset, value } of reports) expect(found[partition]?.[offset], `offset ${offset} of ${partition}`).toBe(value)
    const all = found.flat()
    expect(new Set(all).size, 'no record twice').toBe(all.length)
    // All were acknowledged in the end, so nothing else is there; and of each partition in the order in which it was sent.
    expect(all.toSorted()).toEqual(reports.map(({ value }) => value).toSorted())
    for (const values of found) expect(values).toEqual([...values].toSorted((one, other) => numberOf(one) - numberOf(other)))
  })
})

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

function numberOf(value: string): number {
  return Number(value.slice('record '.length))
}
