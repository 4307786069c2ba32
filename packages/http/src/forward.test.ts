// Requests for partitions of other agents that a client wants forwarded: each agent here is the real planes in front of a real write path.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { httpLimits } from './limits.ts'
import { json } from './testing/json.ts'
import { type ServedForTests, served } from './testing/served.ts'

let owner: ServedForTests
beforeEach(async () => {
  owner = await served()
  await owner.topic('hello', 1)
})
afterEach(() => owner.stop())

/** An agent that believes that the one at `dataUrl` owns all partitions. */
async function asking(dataUrl: string | null): Promise<ServedForTests> {
  const agent = await served({ elsewhere: { brokerId: 7, agent: 'agent-7', host: 'kafka7', port: 9092, dataUrl } })
  await agent.topic('hello', 1)
  return agent
}

test('the client gets the answer of the owner, whose record is stored', async () => {
  await using agent = await asking(owner.data)
  const headers = { 'content-type': 'application/json', 'idempotency-key': 'once' }
  const post = (): Promise<Response> =>
    fetch(`${agent.data}/topics/hello/produce/0?forward=1`, { method: 'POST', headers, body: '{"a":1}', redirect: 'manual' })
  const first = await post()
  expect([first.status, await json(first)]).toMatchObject([200, { topic: 'hello', partition: 0, offset: 0, key: null }])
  const again = await post()
  expect([again.status, again.headers.get('idempotent-replay')]).toEqual([200, 'true'])
  const { records } = await json(fetch(`${owner.data}/topics/hello/messages/0?offset=0`))
  expect(records.map(({ value }) => value)).toEqual(['{"a":1}'])
})

test('lines are forwarded alike, and an error of the owner is the answer', async () => {
  await using agent = await asking(owner.data)
  const post = (body: string): Promise<Response> => fetch(`${agent.data}/topics/hello/produce?forward=1`, { method: 'POST', body })
  expect(await json(post('{"value":"x"}\n{"value":"y"}'))).toMatchObject({ records: [{ offset: 0 }, { offset: 1 }] })
  await using full = await served({ putsFail: true })
  await full.topic('hello', 1)
  await using other = await asking(full.data)
  const rejected = await fetch(`${other.data}/topics/hello/produce?forward=1`, { method: 'POST', body: '{"value":"x"}' })
  expect([rejected.status, (await json(rejected)).error]).toEqual([503, 'NotEnoughReplicasException'])
})

test('a forwarded request is never forwarded again: agents that disagree answer with a redirect', async () => {
  await using third = await asking(owner.data)
  await using second = await asking(third.data)
  const answer = await fetch(`${second.data}/topics/hello/produce/0?forward=1`, { method: 'POST', body: 'k:v', redirect: 'manual' })
  expect([answer.status, answer.headers.get('location')]).toEqual([307, `${owner.data}/topics/hello/produce/0`])
  expect((await json(fetch(`${owner.data}/topics/hello/messages/0?offset=0`))).records).toEqual([])
})

test('an owner that does not answer is a 503 that says whether the records may be stored', async () => {
  const deaf = createServer((request) => void request.on('data', () => request.socket.destroy()))
  await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve))
  const { port } = deaf.address() as AddressInfo
  const post = async (): Promise<readonly [number, string]> => {
    await using agent = await asking(`http://127.0.0.1:${port}`)
    const answer = await fetch(`${agent.data}/topics/hello/produce/0?forward=1`, { method: 'POST', body: 'k:v', redirect: 'manual' })
    return [answer.status, (await json(answer)).error]
  }
  expect(await post()).toEqual([503, 'TimeoutException'])
  await new Promise((resolve) => deaf.close(resolve))
  expect(await post()).toEqual([503, 'NotLeaderOrFollowerException'])
  expect(httpLimits.forwardMs).toBeGreaterThan(30_000)
})

test('without an address of the owner the answer is as without forward=1, and other values are rejected', async () => {
  await using agent = await asking(null)
  const post = async (query: string): Promise<number> =>
    (await fetch(`${agent.data}/topics/hello/produce/0${query}`, { method: 'POST', body: 'k:v', redirect: 'manual' })).status
  expect([await post('?forward=1'), await post('?forward=0'), await post('?forward=2')]).toEqual([503, 503, 400])
})
