// PgBouncer in transaction mode between the agents and PostgreSQL: the contracts of the Metadata Service, and a production agent whose connections die.
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPostgres } from '../../packages/agent/src/metadata/postgres.ts'
import { contracts } from '../../packages/agent/src/metadata/testing/contracts.ts'
import { startPostgres } from '../../packages/agent/src/metadata/testing/postgres-server.ts'
import { topicValues } from './testing/http.ts'
import { type PgBouncer, startPgBouncer } from './testing/pgbouncer.ts'
import { has } from './testing/programs.ts'
import { type ServerProcess, startServer } from './testing/server.ts'
import { othersS3 } from './testing/stores.ts'

const started = has.pgbouncer ? await startPostgres() : undefined

if (started?.kind !== 'started') {
  const why = started === undefined ? 'pgbouncer is not installed' : started.why
  test.skipIf(process.env.CI !== 'true')(`PgBouncer: ${why}`, () => expect.fail(why))
} else {
  const { postgres } = started
  const bouncer = await startPgBouncer(postgres.url)
  afterAll(async () => {
    await bouncer[Symbol.asyncDispose]()
    await postgres.stop()
  })

  contracts('PostgreSQL behind PgBouncer', async () => {
    const sql = await openPostgres({ url: bouncer.url })
    return { sql, dispose: () => sql.close() }
  })

  const s3 = othersS3()
  if (s3 === undefined) test.skipIf(process.env.CI !== 'true')('an agent behind PgBouncer', () => expect.fail('LKS_TEST_S3 is not set'))
  else describe('an agent behind PgBouncer', () => agentBehind(bouncer, s3))

  function agentBehind({ url, kill, start }: PgBouncer, { storage, env }: NonNullable<typeof s3>): void {
    let agent: ServerProcess
    let mine: string
    beforeAll(async () => {
      const args = ['--auto-create-topics-enable', 'true', '--flush-puts-per-second', '1000', '--flush-linger-ms', '5']
      const id = crypto.randomUUID()
      agent = await startServer({ command: 'start', args, env: { ...env, LKS_STORAGE: storage, LKS_METADATA: url, LKS_CLUSTER_ID: id } })
      mine = new URL(postgres.url).pathname.slice(1)
    })
    afterAll(async () => {
      const { code, stderr } = await agent.stop()
      expect(code, stderr).toBe(0)
    })

    /** Ends every connection of PgBouncer to the database, in the middle of whatever it does. */
    const endServerConnections = (): Promise<unknown> =>
      postgres.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()', [mine])

    test('its server connections are ended thirty times, and PgBouncer is killed: each acknowledged record is there once, in order', async () => {
      const kafka = new Kafka({ brokers: [agent.kafka], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 50, retries: 15 } })
      const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
      await producer.connect()
      let sent = 0
      const send = async (count: number): Promise<void> => {
        for (const until = sent + count; sent < until; sent += 1)
          await producer.send({ topic: 'survivors', acks: -1, messages: [{ value: String(sent), partition: 0 }] })
      }
      await send(5)
      for (let times = 0; times < 30; times += 1) await Promise.all([send(3), endServerConnections()])
      await kill()
      const down = send(3)
      await start()
      const restarted = performance.now()
      await down
      expect(performance.now() - restarted).toBeLessThan(15_000)
      await send(5)
      await producer.disconnect()
      expect(await topicValues(agent, 'survivors', 0)).toEqual(Array.from({ length: sent }, (_, number) => String(number)))
    })
  }
}
