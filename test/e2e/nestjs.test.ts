// The NestJS example, installed and run as its user would: consumers, request and reply over Kafka, and a server that is killed beneath it.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { expect, type TestContext, test } from 'vitest'
import { runProgram, startProgram } from '../../packages/sim/src/program.ts'
import { anyPorts, repository, startServer, temporaryFolder } from './testing/server.ts'

test('nestjs: orders are priced by request and reply and announced, also over a kill -9 of the server, and what came while it was away is shipped', async (context) => {
  await using kept = await temporaryFolder()
  await using program = await temporaryFolder()
  await install(program.path, context)
  let server = await startServer({ cwd: kept.path })
  try {
    await using first = await startApplication(program.path, server.kafka)
    const shipped: unknown[] = []
    for (const count of [1, 2, 3]) shipped.push(await first.order(count))
    expect(shipped).toMatchObject([{ price: 2.5 }, { price: 5 }, { price: 7.5 }])
    await server.kill()
    server = await startServer({ cwd: kept.path, ports: ['--kafka-port', String(server.port), ...anyPorts.slice(2)] })
    shipped.push(await first.order(4))
    await expect.poll(() => first.shipments(), { timeout: 60_000 }).toEqual(shipped)
    await first.stop()

    const away = { id: 'away', item: 'tea', count: 5, price: 12.5 }
    const produced = await fetch(`${server.urls.data}/topics/orders.created/produce/0`, {
      method: 'POST',
      body: `tea:${JSON.stringify(away)}`,
    })
    expect(produced.ok).toBe(true)
    await using second = await startApplication(program.path, server.kafka)
    await expect.poll(() => second.shipments(), { timeout: 60_000 }).toContainEqual(away)
    await second.stop()
  } finally {
    await server.kill()
  }
}, 600_000)

/** Into a folder of its own, as a user would; without a registry the test is skipped at home. */
async function install(folder: string, { skip }: TestContext): Promise<void> {
  cpSync(join(repository, 'examples/nestjs'), folder, {
    recursive: true,
    filter: (path) => !/[/\\](node_modules|dist)$/.test(path),
  })
  const npm = async (...args: readonly string[]): Promise<string | undefined> =>
    await runProgram('npm', args, { cwd: folder, limitMs: 300_000 }).then(
      () => undefined,
      (error: Error) => `${error.message} ${String(error.cause)}`,
    )
  const failed = await npm('install', '--no-audit', '--no-fund', '--no-package-lock')
  if (
    failed !== undefined &&
    /spawn npm ENOENT|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT/.test(failed) &&
    process.env.CI !== 'true'
  )
    skip('npm and a registry')
  expect(failed).toBeUndefined()
  expect(await npm('run', 'build')).toBeUndefined()
}

interface Application extends AsyncDisposable {
  order(count: number): Promise<unknown>
  shipments(): Promise<unknown>
  stop(): Promise<void>
}

async function startApplication(folder: string, brokers: string): Promise<Application> {
  const env = { ...process.env, KAFKA_BROKERS: brokers, PORT: '0', NO_COLOR: '1' }
  const application = startProgram(process.execPath, ['dist/main.js'], { cwd: folder, env })
  const printed = (): string => application.stdout() + application.stderr()
  const address = (): string | undefined => /^listening on (\S+)$/m.exec(printed())?.[1]
  await application.until(() => address() !== undefined)
  const url = address()
  return {
    async order(count) {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`${url}/orders`, { method: 'POST', headers, body: JSON.stringify({ item: 'tea', count }) })
      if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}\n${printed()}`)
      return await answer.json()
    },
    shipments: async () => await (await fetch(`${url}/shipments`)).json(),
    stop: async () => void (await application.kill('SIGTERM')),
    [Symbol.asyncDispose]: () => application[Symbol.asyncDispose](),
  }
}
