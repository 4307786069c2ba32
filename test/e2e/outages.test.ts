// PostgreSQL and S3 fail under load, alone and together: nothing acknowledged is lost, memory is bounded, and an agent works again soon after they are back.
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { Kafka, logLevel, type Producer } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type S3Server, startS3Server } from '../../packages/agent/src/objects/testing/s3-server.ts'
import { Chance } from '../../packages/sim/src/chance.ts'
import { type KillablePostgres, postgresBin, startKillablePostgres } from '../chaos/killable-postgres.ts'
import { fairWeather, type S3Proxy, startS3Proxy } from '../chaos/s3-proxy.ts'
import { topicValues } from './testing/http.ts'
import { type Sending, sendNumbers } from './testing/sending.ts'
import { type ServerProcess, startServer } from './testing/server.ts'

if (postgresBin() === undefined) test.skipIf(process.env.CI !== 'true')('outages: PostgreSQL is installed', () => expect.fail('it is not'))
else describe('outages', outages)

function outages(): void {
  const memoryBytes = 256 * 1024 * 1024
  let postgres: KillablePostgres
  let s3Server: S3Server
  let s3: S3Proxy
  let agent: ServerProcess
  let kafka: Kafka

  beforeAll(async () => {
    postgres = await startKillablePostgres()
    s3Server = await startS3Server()
    s3 = await startS3Proxy(s3Server.endpoint, new Chance('outages'))
    const env = {
      AWS_ENDPOINT_URL_S3: s3.endpoint,
      AWS_ACCESS_KEY_ID: s3Server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3Server.credentials.secretAccessKey,
      LKS_STORAGE: `s3://${s3Server.bucket}/outages`,
      LKS_METADATA: postgres.url(),
      LKS_MEMORY_BYTES: String(memoryBytes),
    }
    const args = ['--auto-create-topics-enable', 'true', '--flush-puts-per-second', '200', '--flush-linger-ms', '5']
    agent = await startServer({ command: 'start', args, env })
    kafka = new Kafka({
      brokers: [agent.kafka],
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 200 },
    })
  })
  afterAll(async () => {
    const { code, stderr } = await agent.stop()
    await s3[Symbol.asyncDispose]()
    await s3Server[Symbol.asyncDispose]()
    await postgres[Symbol.asyncDispose]()
    expect(code, stderr).toBe(0)
  })

  const begun = async (topic: string): Promise<{ readonly producer: Producer; readonly numbers: Sending }> => {
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const numbers = sendNumbers(producer, topic, { everyMs: 5 })
    await numbers.reached(20)
    return { producer, numbers }
  }
  /** Waits for records that were sent after this moment, and returns how long that took. */
  const backAfterMs = async (sending: Sending): Promise<number> => {
    const began = performance.now()
    await sending.reached(sending.acknowledged() + 3)
    return performance.now() - began
  }
  const isComplete = async (topic: string, { producer, numbers }: Awaited<ReturnType<typeof begun>>): Promise<void> => {
    await numbers.end()
    await producer.disconnect()
    const values = await topicValues(agent, topic, 0)
    expect(values).toEqual(Array.from({ length: numbers.acknowledged() }, (_, number) => String(number)))
  }

  test('PostgreSQL is killed three times: each acknowledged record is there once, and the agent is back within 5 s', async () => {
    const sent = await begun('database-away')
    for (const awayMs of [0, 500, 4_000]) {
      await postgres.kill()
      await delay(awayMs)
      await postgres.start()
      expect(await backAfterMs(sent.numbers)).toBeLessThan(5_000)
    }
    await isComplete('database-away', sent)
  })

  test('S3 is away for 30 s, and PostgreSQL is killed meanwhile: memory is bounded, the agent is back within 10 s, and nothing is lost', async () => {
    const sent = await begun('both-away')
    const largest = residentMiB(agent.pid)
    s3.weather = { ...fairWeather, away: true }
    const flood = await flooding(kafka, 'flood')
    let resident = 0
    const watched = setInterval(() => (resident = Math.max(resident, residentMiB(agent.pid))), 250)
    await delay(20_000)
    await postgres.kill()
    await delay(5_000)
    await postgres.start()
    await delay(5_000)
    clearInterval(watched)
    // What all parts may hold, and what the process had before.
    expect(resident).toBeLessThan((1.3 * memoryBytes) / 1024 / 1024 + largest)
    s3.weather = fairWeather
    expect(await backAfterMs(sent.numbers)).toBeLessThan(10_000)
    await flood.stop()
    await isComplete('both-away', sent)
  })
}

/** Ten producers with 1 MB a request, which send as fast as they are answered; a request that fails is not repeated. */
async function flooding(kafka: Kafka, topic: string): Promise<{ stop(): Promise<void> }> {
  const value = Buffer.alloc(1024 * 1024 - 1024, 1)
  const producers = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const producer = kafka.producer({ retry: { retries: 0 } })
      await producer.connect()
      return producer
    }),
  )
  let over = false
  const running = producers.map(async (producer, partition) => {
    // Rejections are what a flood of an agent without a store has to get.
    while (!over) await producer.send({ topic, messages: [{ value, partition: 0 }] }).catch(() => delay(50 + partition))
    await producer.disconnect()
  })
  return {
    async stop() {
      over = true
      await Promise.all(running)
    },
  }
}

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
}
