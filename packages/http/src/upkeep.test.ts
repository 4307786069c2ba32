// Upkeep over HTTP, in front of a whole agent: the sweep of the object store as a dry run, for real, halted and confirmed.
import { Produce } from '@local-kafka-service/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentForTests, aBatch, anAgent } from '../../agent/src/api/testing/an-agent.ts'
import { objectKey } from '../../agent/src/core/object-key.ts'
import { MemoryObjects } from '../../agent/src/objects/adapters/memory.ts'
import { type HttpServers, serveHttp } from './serve.ts'
import { json } from './testing/json.ts'

const store = new MemoryObjects()
let kafka: AgentForTests
let http: HttpServers
beforeAll(async () => {
  kafka = await anAgent({ wrap: () => store })
  const port = { hosts: ['127.0.0.1'], port: 0, movable: false }
  http = await serveHttp(kafka.agent, { control: port, data: port, allowedHosts: [], version: '0.0.0-test' })
})
afterAll(async () => {
  await http.stop()
  await kafka[Symbol.asyncDispose]()
})

const sweep = async (body: object): Promise<Response> =>
  await fetch(`${http.control.url}/upkeep/sweep`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })

test('a dry run explains, a halted sweep removes nothing, and a confirmed one removes what the database does not know', async () => {
  await kafka.topic('t')
  const partitionData = [{ index: 0, records: aBatch(['one']) }]
  await kafka.call(Produce, 9, { acks: -1, timeoutMs: 1000, topicData: [{ name: 't', partitionData }] })
  const strange = objectKey(kafka.agent.clusterId, { id: 77, nonce: '0123456789abcdef' }, 1)
  await store.put(strange, [Buffer.from('no row for it')])
  const found = { stored: { objects: 2 }, orphans: { objects: 1, bytes: 13 }, foreignKeys: 0 }
  const deletions = [{ object: strange, bytes: 13, why: 'the database does not know incarnation 77 with this nonce' }]
  const halted = expect.stringContaining('may be older than the store')
  for (const body of [{ dryRun: true }, {}])
    expect(await json(await sweep(body))).toMatchObject({ ...found, deletions, halted, removed: { objects: 0 } })
  expect(await json(await sweep({ dryRun: true }))).toMatchObject({ released: { objects: 0, bytes: 0 } })
  expect(await json(await sweep({ confirm: true }))).toMatchObject({
    ...found,
    halted: null,
    removed: { objects: 1, bytes: 13, failed: 0 },
  })
  expect(await json(await sweep({}))).toMatchObject({
    stored: { objects: 1 },
    orphans: { objects: 0, bytes: 0 },
    halted: null,
    released: null,
    deletions: [],
  })
})

test('the jobs are listed with their next passes and what they still have to do', async () => {
  const { jobs } = (await json(await fetch(`${http.control.url}/upkeep`))) as { readonly jobs: readonly { readonly job: string }[] }
  expect(jobs.map(({ job }) => job)).toEqual([
    'scrub',
    'compaction',
    'merge',
    'retention',
    'purge',
    'sweep',
    'orphans',
    'expiry',
    'transactions',
  ])
  const quiet = { elsewhere: false, running: false, problem: null, progress: null }
  expect(jobs.find(({ job }) => job === 'orphans')).toMatchObject({
    ...quiet,
    nextPassAt: expect.any(String),
    backlog: { objects: 0, bytes: 0 },
  })
  const metrics = await (await fetch(`${http.control.url}/metrics`)).text()
  expect(metrics).toContain('lks_upkeep_backlog{upkeep="sweep",unit="objects"} 0')
  expect(metrics).toContain('lks_upkeep_problem{upkeep="orphans"} 0')
})

test('a wrong request is explained', async () => {
  const wrong = await sweep({ force: true })
  expect([wrong.status, await json(wrong)]).toMatchObject([400, { message: "There is no member 'force' here." }])
})
