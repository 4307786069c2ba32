// The fuzz: thousands of mutated requests over all APIs and versions. The server logs no defect, and answers each request or closes its connection.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type Api, ApiVersions, CreateTopics, Fetch, JoinGroup, Metadata, Produce, SyncGroup } from '@local-kafka-service/protocol'
import { WireClient } from '../../../bench/wire-client.ts'
import { handlers } from '../../../packages/agent/src/api/index.ts'
import { Chance } from '../../../packages/sim/src/chance.ts'
import type { Scene, Target } from '../attack.ts'
import { call } from '../attackers.ts'
import { type FuzzedRequest, fuzzedRequest } from './mutation.ts'

const connections = 16
/** Requests between two looks at the counter of defects. */
const roundSize = 400
const patienceMs = 20_000
/** These wait for others on purpose: for records, for members, or not for anything (acks = 0). They get this long. */
const mayWait: ReadonlySet<Api> = new Set<Api>([Fetch, JoinGroup, SyncGroup, Produce])
const shortPatienceMs = 100

export const fuzz: Scene = {
  async prepare({ port }, effort) {
    const client = await WireClient.open(port)
    await call(client, CreateTopics, 5, {
      topics: [{ name: 't', numPartitions: 3, replicationFactor: 1, assignments: [], configs: [] }],
      timeoutMs: 30_000,
    })
    const { topics } = await call(client, Metadata, 12, { topics: [{ name: 't' }], allowAutoTopicCreation: false })
    client.close()
    const topicId = topics[0]?.topicId ?? ''
    const { seed, from, requests } = effort.fuzz
    const served = handlers.map(({ api }) => api)
    return [
      {
        name: `fuzz: ${requests} requests of seed ${seed}, from ${from} on`,
        // Wrong bytes are reported once a minute and client, and each kind of misunderstanding is another line.
        logLines: 400,
        growthMiB: 400,
        async run(target) {
          let defects = (await target.metric('lks_defects_total')) ?? 0
          for (let at = from; at < from + requests; at += roundSize) {
            const until = Math.min(at + roundSize, from + requests)
            await round(target, { seed, from: at, until, served, topicId })
            const now = (await target.metric('lks_defects_total')) ?? 0
            assert.equal(
              now,
              defects,
              `a defect between the requests ${at} and ${until}: ${replay(seed, at, until - at)}\n${defectsOf(target)}`,
            )
            defects = now
          }
        },
      },
    ]
  },
}

function replay(seed: number, from: number, requests: number): string {
  return `replay it with pnpm test:attack --only fuzz --seed ${seed} --from ${from} --requests ${requests}`
}

function defectsOf(target: Target): string {
  return target
    .logLines()
    .filter((line) => /defect|assert|at .*\(/i.test(line))
    .slice(-40)
    .join('\n')
}

interface Round {
  readonly seed: number
  readonly from: number
  readonly until: number
  readonly served: readonly Api[]
  readonly topicId: string
}

async function round({ port }: Target, { seed, from, until, served, topicId }: Round): Promise<void> {
  let next = from
  const lane = async (): Promise<void> => {
    let connection = await Connection.open(port)
    while (next < until) {
      const at = next++
      const request = fuzzedRequest(new Chance(`fuzz ${seed}/${at}`), served, topicId)
      let outcome = await connection.send(request)
      if (outcome === 'closed') {
        // The answer to the request before may have been the last of its connection.
        connection = await Connection.open(port)
        outcome = await connection.send(request)
      }
      const what = `${request.api.name} ${request.version} with ${request.mutation}`
      assert.ok(outcome !== 'pending' || mayWait.has(request.api) || !request.wellFormed, `${what} got no answer: ${replay(seed, at, 1)}`)
      assert.ok(outcome !== 'closed' || mayBeClosed(request), `${what} was not answered but closed: ${replay(seed, at, 1)}`)
      if (outcome === 'answered') continue
      connection.end()
      connection = await Connection.open(port)
    }
    connection.end()
  }
  await Promise.all(Array.from({ length: connections }, lane))
}

/** A request that can be decoded gets an answer; but a Produce without acknowledgement that failed has no other, and dispatch does not decode what its version cannot mean. */
function mayBeClosed({ wellFormed, api }: FuzzedRequest): boolean {
  return !wellFormed || api === Produce || api === ApiVersions
}

/** One client, which sends one request at a time. */
class Connection {
  readonly #socket: Socket
  #arrived: (() => void) | undefined
  #closed = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', () => this.#arrived?.())
    socket.on('error', () => {}) // a reset is an end like any other
    socket.on('close', () => {
      this.#closed = true
      this.#arrived?.()
    })
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new Connection(socket)
  }

  async send({ frame, api, wellFormed }: FuzzedRequest): Promise<'answered' | 'closed' | 'pending'> {
    const size = Buffer.alloc(4)
    size.writeInt32BE(frame.length)
    let arrived = false
    const seen = new Promise<void>((resolve) => {
      this.#arrived = () => {
        arrived = true
        resolve()
      }
    })
    const patience = mayWait.has(api) || !wellFormed ? shortPatienceMs : patienceMs
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patience)
    })
    this.#socket.write(Buffer.concat([size, frame]))
    await Promise.race([seen, late])
    clearTimeout(timer)
    this.#arrived = undefined
    if (this.#closed) return 'closed'
    return arrived ? 'answered' : 'pending'
  }

  end(): void {
    this.#socket.destroy()
  }
}
