// A wrong client leaves one line per client and cause in the log of a real server, however often it tries.
import { once } from 'node:events'
import { connect } from 'node:net'
import { Kafka, logLevel } from 'kafkajs'
import { expect, onTestFinished, test } from 'vitest'
import { type ServerProcess, startServer } from './testing/server.ts'

async function aServer(): Promise<ServerProcess> {
  const server = await startServer({ args: ['--memory'] })
  onTestFinished(() => server[Symbol.asyncDispose]())
  return server
}

function aClient(
  { kafka }: ServerProcess,
  more: { readonly ssl?: true; readonly sasl?: { mechanism: 'plain'; username: string; password: string } } = {},
) {
  return new Kafka({
    clientId: 'billing',
    brokers: [kafka],
    logLevel: logLevel.NOTHING,
    retry: { retries: 1, initialRetryTime: 10 },
    ...more,
  })
}

/** Stops the server, so that its log is whole; its warnings, as text. */
async function warnings(server: ServerProcess): Promise<readonly string[]> {
  const { stderr } = await server.stop()
  return stderr
    .split('\n')
    .filter((line) => line.includes('"level":"warn"'))
    .map((line) => (JSON.parse(line) as { readonly msg: string }).msg)
}

test('N10: the log says which client asked for which topic and why it was rejected, which kafkajs hides', async () => {
  const server = await aServer()
  const admin = aClient(server).admin()
  await admin.connect()
  const topics = [{ topic: 'orders', configEntries: [{ name: 'segment.mz', value: '1' }] }]
  for (let times = 0; times < 3; times++) await expect(admin.createTopics({ topics })).rejects.toThrow()
  await admin.disconnect()
  expect(await warnings(server)).toEqual([
    "client 'billing' at 127.0.0.1: CreateTopics 3 of topic 'orders' was rejected with INVALID_CONFIG: Unknown topic config name: segment.mz",
  ])
})

test('C9: a client with SASL fails at once with the reason, and the log says what to change', async () => {
  const server = await aServer()
  const sasl = { mechanism: 'plain', username: 'u', password: 'p' } as const
  await expect(aClient(server, { sasl }).admin().connect()).rejects.toThrow('current SASL state')
  expect(await warnings(server)).toEqual([
    expect.stringMatching(/^client 'billing' at 127\.0\.0\.1: SaslHandshake 1 was rejected .* security\.protocol=PLAINTEXT/),
  ])
})

test('TLS and HTTP on the Kafka port are one line each, with what to do', async () => {
  const server = await aServer()
  await expect(aClient(server, { ssl: true }).admin().connect()).rejects.toThrow()
  for (let times = 0; times < 3; times++) {
    const socket = connect({ host: '127.0.0.1', port: server.port })
    socket.end('GET /topics HTTP/1.1\r\nHost: localhost\r\n\r\n')
    socket.resume()
    await once(socket, 'close')
  }
  expect(await warnings(server)).toEqual([
    expect.stringMatching(/^a client at 127\.0\.0\.1: the bytes are TLS.*ssl: false/),
    expect.stringMatching(/^a client at 127\.0\.0\.1: the bytes are HTTP.*control plane/),
  ])
})

test('C10: an old version is one line that names the API, the version and what is served', async () => {
  const server = await aServer()
  // Fetch 3 of the client `old`.
  const fetch3 = Buffer.from('0000000d000100030000000700036f6c64', 'hex')
  for (let times = 0; times < 3; times++) {
    const socket = connect({ host: '127.0.0.1', port: server.port })
    socket.write(fetch3)
    socket.resume()
    await once(socket, 'close')
  }
  expect(await warnings(server)).toEqual([
    expect.stringMatching(/^client 'old' at 127\.0\.0\.1: Fetch 3 is not served: versions 4 to 18 are\..*Kafka version/),
  ])
})
