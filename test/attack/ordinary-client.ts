// The ordinary client beside an attack, a program of its own: it sends four small requests at a steady pace, and prints their latencies for each line of its input.
import assert from 'node:assert/strict'
import { get, Agent as HttpAgent } from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { buildBatch, crc32c, Fetch, Heartbeat, JoinGroup, Metadata, Produce, SyncGroup } from '@local-kafka-service/protocol'
import { WireClient } from '../../bench/wire-client.ts'
import { endProgram } from '../../packages/sim/src/program.ts'
import { call } from './attackers.ts'
import type { Latencies } from './observer.ts'

const everyMs = 20
const topic = 'ordinary'
/** HTTP reads at least 64 KB of a log, so it has one that does not grow. */
const readOverHttp = 'ordinary-http'
const [port = '', dataUrl = ''] = process.argv.slice(2)

let latencies: Record<string, number[]> = {}
let failures: string[] = []
let began = performance.now()

const record = { offsetDelta: 0, timestamp: 0, key: null, value: new Uint8Array(100), headers: [] }
const records = buildBatch({ baseTimestamp: 0, records: [record] }, crc32c)
const agent = new HttpAgent({ keepAlive: true, maxSockets: 1 })
const connect = (): Promise<WireClient> => WireClient.open(Number(port))

const setUp = await connect()
await call(setUp, Metadata, 9, { topics: [{ name: topic }, { name: readOverHttp }], allowAutoTopicCreation: true })
assert.equal(await produced(setUp, readOverHttp), 0)
setUp.close()

const producer = await connect()
const consumer = await connect()
const member = await connect()
const group = { groupId: 'ordinary', protocolType: 'consumer' }
const joined = await call(member, JoinGroup, 3, {
  ...group,
  sessionTimeoutMs: 60_000,
  rebalanceTimeoutMs: 60_000,
  memberId: '',
  protocols: [{ name: 'range', metadata: new Uint8Array() }],
})
const membership = { groupId: group.groupId, generationId: joined.generationId, memberId: joined.memberId }
await call(member, SyncGroup, 3, { ...membership, assignments: [] })

const probes: Readonly<Record<string, () => Promise<number | undefined>>> = {
  produce: () => produced(producer, topic),
  fetch: async () => {
    const topics = [{ topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000 }] }]
    const { responses } = await call(consumer, Fetch, 12, { maxWaitMs: 0, minBytes: 0, topics })
    return responses[0]?.partitions[0]?.errorCode
  },
  heartbeat: async () => (await call(member, Heartbeat, 3, membership)).errorCode,
  http: () => httpStatus(`${dataUrl}/topics/${readOverHttp}/messages/0?offset=0&limit=1`),
}

// The first requests load what they need.
for (const probe of Object.values(probes)) for (let warm = 0; warm < 20; warm++) await probe()
for (const [name, probe] of Object.entries(probes)) void lane(name, probe)
console.log('ready')

for await (const _ of createInterface({ input: process.stdin })) {
  const seen: Latencies = { latencies, failures }
  latencies = {}
  failures = []
  began = performance.now()
  console.log(JSON.stringify(seen))
}
await endProgram(0)

async function produced(client: WireClient, name: string): Promise<number | undefined> {
  const topicData = [{ name, partitionData: [{ index: 0, records }] }]
  const { responses } = await call(client, Produce, 9, { acks: -1, timeoutMs: 30_000, topicData })
  return responses[0]?.partitionResponses[0]?.errorCode
}

/**
 * One request at a time, at a steady pace. A pause of the server delays all requests that were due in it, so each of them counts with the rest of the pause,
 * as if it had been sent: without that, a long pause would be one slow request among many fast ones. Afterwards there is no backlog: a lane that could only
 * catch up with a server that is faster than the pace would report the length of the attack, not the latency of a request.
 */
async function lane(name: string, probe: () => Promise<number | undefined>): Promise<void> {
  for (let due = performance.now(); ; due = Math.max(due + everyMs, performance.now())) {
    const early = due - performance.now()
    if (early > 0) await delay(early)
    const sentAt = Math.max(due, began)
    try {
      const error = await probe()
      if (error !== 0) failures.push(`${name} was answered with ${error}`)
    } catch (error) {
      failures.push(`${name}: ${String(error)}`)
      return
    }
    for (let waitedMs = performance.now() - sentAt; waitedMs > 0; waitedMs -= everyMs) (latencies[name] ??= []).push(waitedMs)
  }
}

/** 0 for a good answer. */
function httpStatus(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (answer) => {
      answer.resume()
      answer.on('end', () => resolve(answer.statusCode === 200 ? 0 : (answer.statusCode ?? -1))).on('error', reject)
    }).on('error', reject)
  })
}
