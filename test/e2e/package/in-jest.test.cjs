// A user's test in Jest, which has its own `require`: a server in memory and one whose database is in a thread.
const { mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { startKafka, UserError } = require('local-kafka-service')

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

test('timers that a test has faked do not stop the server', async () => {
  jest.useFakeTimers()
  const kafka = await startKafka({ http: true })
  jest.useRealTimers()
  expect((await fetch(`${kafka.urls.control}/topics`)).status).toBe(200)
  await kafka.stop()
})

test('the server of the global setup, which is in another module system of this process', async () => {
  expect((await fetch(`${process.env.LKS_URL}/topics`)).status).toBe(200)
})
