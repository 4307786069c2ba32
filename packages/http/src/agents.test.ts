// The cluster, its agents and its slots over HTTP, in front of a whole agent; and the map of an agent that owns nothing.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentForTests, anAgent } from '../../agent/src/api/testing/an-agent.ts'
import { type HttpServers, serveHttp } from './serve.ts'
import { type JsonAnswer, json } from './testing/json.ts'
import { type ServedForTests, served } from './testing/served.ts'

let kafka: AgentForTests
let http: HttpServers
beforeAll(async () => {
  kafka = await anAgent()
  const port = { hosts: ['127.0.0.1'], port: 0, movable: false }
  http = await serveHttp(kafka.agent, { control: port, data: port, allowedHosts: [], version: '0.0.0-test' })
})
afterAll(async () => {
  await http.stop()
  await kafka[Symbol.asyncDispose]()
})

test('the only agent of a cluster owns all slots', async () => {
  const get = async (path: string): Promise<unknown> => await json(await fetch(`${http.control.url}${path}`))
  const { clusterId, brokerId } = kafka.agent
  const slots = kafka.services.owners.slots
  expect(await get('/cluster')).toEqual({ clusterId, brokerId, agent: 'agent-1', agents: 1, slots })
  expect(await get('/agents')).toEqual({
    agents: [
      {
        agent: 'agent-1',
        brokerId,
        kafka: expect.stringMatching(/^\S+:\d+$/),
        rack: null,
        slots,
        answers: true,
        control: null,
        data: null,
      },
    ],
  })
  expect(await get('/slots')).toEqual({
    slots,
    ranges: [{ first: 0, last: slots - 1, epoch: expect.any(Number), brokerId, agent: 'agent-1' }],
  })
})

const blue = { brokerId: 2, agent: 'blue', host: '::1', port: 9093 }

test('another agent and its slots are named by every agent; an IPv6 address has brackets', async () => {
  await using server = await served({ elsewhere: { ...blue, rack: 'zone-2', controlUrl: 'http://[::1]:8000' } })
  const get = async (path: string): Promise<unknown> => await json(await fetch(`${server.control}${path}`))
  expect(await get('/agents')).toEqual({
    agents: [
      {
        agent: 'blue',
        brokerId: 2,
        kafka: '[::1]:9093',
        rack: 'zone-2',
        slots: 1,
        answers: false,
        control: 'http://[::1]:8000',
        data: null,
      },
    ],
  })
  expect(await get('/slots')).toEqual({ slots: 1, ranges: [{ first: 0, last: 0, epoch: 1, brokerId: 2, agent: 'blue' }] })
})

test('a drain of this agent begins before the answer; one of another agent is a redirect to its control plane', async () => {
  const drain = async (server: ServedForTests, name: string): Promise<readonly [number, string | null, JsonAnswer]> => {
    const answer = await fetch(`${server.control}/agents/${name}/drain`, { method: 'POST', redirect: 'manual' })
    return [answer.status, answer.headers.get('location'), await json(answer)]
  }
  await using server = await served({ elsewhere: { ...blue, controlUrl: 'http://[::1]:8000' } })
  expect(await drain(server, 'blue')).toMatchObject([307, 'http://[::1]:8000/agents/blue/drain', { error: 'Moved', agent: 'blue' }])
  expect(await drain(server, 'red')).toMatchObject([404, null, { error: 'AgentNotFoundException' }])
  expect(server.drained).toBe(false)
  await using silent = await served({ elsewhere: blue })
  expect(await drain(silent, 'blue')).toMatchObject([503, null, { error: 'CoordinatorNotAvailableException' }])
  await using own = await served({ elsewhere: { ...blue, brokerId: 1 } })
  expect(await drain(own, 'blue')).toMatchObject([202, null, { agent: 'blue', state: 'draining' }])
  expect(own.drained).toBe(true)
})
