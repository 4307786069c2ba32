// A user's test in Vitest: a server in memory and one whose database is in a thread.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startKafka, UserError } from 'local-kafka-service'
import { test as kafkaTest } from 'local-kafka-service/vitest'
import { expect, test } from 'vitest'

test('a server in memory, and what it says to a wrong option', async () => {
  const kafka = await startKafka({ http: true })
  expect((await fetch(`${kafka.urls.control}/topics`)).status).toBe(200)
  await kafka.stop()
  await expect(startKafka({ port: -1 })).rejects.toThrow(UserError)
})

test('a server in a directory, with a busy port explained', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'lks-jest-'))
  const kafka = await startKafka({ dir, http: true })
  await fetch(`${kafka.urls.control}/topics`, { method: 'POST', body: '{"name":"letters","partitions":1}' })
  const answer = await fetch(`${kafka.urls.data}/topics/letters/produce/0`, { method: 'POST', body: 'key:value' })
  expect(answer.status).toBe(200)
  await expect(startKafka({ port: kafka.port })).rejects.toMatchObject({ code: 'LKS-1001' })
  await kafka.stop()
  rmSync(dir, { recursive: true })
})

kafkaTest('the fixture of the package', async ({ kafka }) => {
  await kafka.createTopic('letters', 1)
  await kafka.produce('letters', 'one')
  expect((await kafka.records('letters')).length).toBe(1)
})

let ended
kafkaTest('N6: an application that is stopped in onTestFinished still has its Kafka', async ({ kafka, onTestFinished }) => {
  ended = kafka
  onTestFinished(async () => {
    await kafka.produce('last-words', 'bye')
    expect((await kafka.records('last-words')).length).toBe(1)
  })
})
test('N6: which has ended after that', async () => {
  await expect(ended.records('last-words')).rejects.toThrow('stopped')
})
