// The agents of a run: three processes of `lks start` on one PostgreSQL and one S3 server, with a proxy in front of each thing that can be cut or slow.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { errorText } from '../../packages/agent/src/native-error.ts'
import { type S3Server, startS3Server } from '../../packages/agent/src/objects/testing/s3-server.ts'
import { Chance } from '../../packages/sim/src/chance.ts'
import type { ProgramEnd } from '../../packages/sim/src/program.ts'
import { freePorts } from '../e2e/testing/free-ports.ts'
import { type ServerProcess, startServer } from '../e2e/testing/server.ts'
import { type Cable, oneHost, startHosts } from './hosts.ts'
import { type KillablePostgres, startKillablePostgres } from './killable-postgres.ts'
import { type S3Proxy, startS3Proxy } from './s3-proxy.ts'
import { type AgentName, agentNames, type HostsOfRun } from './schedule.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'
import { within } from './within.ts'

export interface ChaosCluster extends AsyncDisposable {
  readonly clusterId: string
  readonly postgres: KillablePostgres
  readonly s3: S3Proxy
  readonly storage: ChaosStorage
  readonly agents: ReadonlyMap<AgentName, ChaosAgent>
}

/** The bucket of the run. */
export interface ChaosStorage {
  readonly endpoint: string
  readonly bucket: string
  readonly prefix: string
  readonly credentials: S3Server['credentials']
  /** For the report. */
  readonly server: string
}

/** Ends of processes that no disturbance explains are anomalies. */
export type OnProblem = (problem: string) => void

export interface ChaosClusterOptions {
  readonly seed: number
  /** `http://KEY:SECRET@HOST:PORT/BUCKET/PREFIX`; if it is empty, a server of our own runs. */
  readonly s3Url: string
  /** `direct`: clients connect to the agents themselves, so the address of a dead one does not answer. `proxied`: to proxies, which can be cut and slow. */
  readonly clients: 'proxied' | 'direct'
  /** With several, this process has `ownNetwork`. */
  readonly hosts: HostsOfRun
}

export async function startChaosCluster(
  { seed, s3Url, clients: reach, hosts: number }: ChaosClusterOptions,
  onProblem: OnProblem,
): Promise<ChaosCluster> {
  const stack = new AsyncDisposableStack()
  try {
    const clusterId = randomUUID()
    const hosts = number === 'one' ? oneHost : stack.use(await startHosts(agentNames))
    const { gateway } = hosts
    const postgres = stack.use(await startKillablePostgres())
    const storage = s3Url === '' ? ownStorage(stack.use(await startS3Server())) : othersStorage(s3Url)
    const s3 = stack.use(await startS3Proxy(storage.endpoint, new Chance(`S3 ${seed}`), gateway))
    const agents = new Map<AgentName, ChaosAgent>()
    for (const name of agentNames) {
      const [kafka = 0, control = 0, data = 0] = await freePorts(3)
      const { address, prefix, cable } = hosts.of(name)
      const listen = { host: gateway, port: 0 }
      const clients = stack.use(await startTcpProxy({ target: { host: address, port: kafka }, listen }))
      const database = stack.use(await startTcpProxy({ target: { host: '127.0.0.1', port: postgres.port }, listen }))
      const env = {
        AWS_ENDPOINT_URL_S3: s3.endpoint,
        AWS_ACCESS_KEY_ID: storage.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: storage.credentials.secretAccessKey,
        AWS_REGION: 'us-east-1',
        LKS_STORAGE: `s3://${storage.bucket}/${storage.prefix}`,
        LKS_METADATA: postgres.url({ host: gateway, port: database.port }),
        LKS_CLUSTER_ID: clusterId,
        LKS_MEMORY_BYTES: String(memoryBytes),
      }
      const ports = ['--kafka-port', String(kafka), '--control-port', String(control), '--data-port', String(data)]
      const kafkaAddress = reach === 'direct' ? `${address}:${kafka}` : `${gateway}:${clients.port}`
      const advertised = ['--agent-name', name, '--broker-rack', name, '--advertised', kafkaAddress]
      const pace = ['--flush-puts-per-second', '50', '--flush-linger-ms', '20']
      const reachable = number === 'one' ? [] : ['--listen', address, '--allow-unauthenticated']
      const args = [...advertised, ...pace, ...reachable]
      const start = (): Promise<ServerProcess> => startServer({ command: 'start', ports, args, env, prefix })
      agents.set(name, stack.use(new ChaosAgent(name, { start, kafkaAddress, clients, database, cable, onProblem })))
    }
    await Promise.all([...agents.values()].map((agent) => agent.running()))
    const owned = stack.move()
    return { clusterId, postgres, s3, storage, agents, [Symbol.asyncDispose]: () => owned.disposeAsync() }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

/** Of each agent. */
const memoryBytes = 384 * 1024 * 1024

interface AgentParts {
  readonly start: () => Promise<ServerProcess>
  readonly kafkaAddress: string
  readonly clients: TcpProxy
  readonly database: TcpProxy
  readonly cable: Cable | undefined
  readonly onProblem: OnProblem
}

/** One agent, and what a supervisor does for it: it starts it again when it ends, unless it is kept away. */
export class ChaosAgent implements AsyncDisposable {
  readonly name: AgentName
  /** For clients. */
  readonly kafkaAddress: string
  readonly clients: TcpProxy
  readonly database: TcpProxy
  readonly #parts: AgentParts
  readonly #supervised: Promise<void>
  #server: ServerProcess | undefined
  #wanted = true
  #over = false
  /** The end of the process is wanted, or explained. */
  #expected = false
  #changed = Promise.withResolvers<void>()
  #log = ''

  constructor(name: AgentName, parts: AgentParts) {
    this.name = name
    this.kafkaAddress = parts.kafkaAddress
    this.clients = parts.clients
    this.database = parts.database
    this.#parts = parts
    this.#supervised = this.#supervise()
  }

  /** Settles when it is ready. Rejects with its log if that takes too long. */
  async running(): Promise<ServerProcess> {
    const what = (): string => `${this.name} is ready. Its log ends with:\n${lastLines(this.log())}`
    return await within(this.#ready(), { what, limitMs: readyLimitMs })
  }

  async #ready(): Promise<ServerProcess> {
    while (this.#server === undefined) await this.#changed.promise
    return this.#server
  }

  /** Undefined while it starts. */
  get server(): ServerProcess | undefined {
    return this.#server
  }

  /** What all its processes wrote to standard error. */
  log(): string {
    return this.#log + (this.#server?.log() ?? '')
  }

  /** Like `kill -9`; it stays away until `bringBack`. */
  async kill(): Promise<void> {
    this.#wanted = false
    this.#expected = true
    await this.#server?.kill()
  }

  bringBack(): void {
    this.#wanted = true
    this.#wake()
  }

  /** SIGTERM. It is started again at once. */
  async restart(): Promise<void> {
    if (this.#server !== undefined) await this.#drained(this.#server)
  }

  pause(): void {
    this.#server?.signal('SIGSTOP')
  }

  resume(): void {
    this.#server?.signal('SIGCONT')
  }

  /** For a run in which each agent has a host of its own. */
  get cable(): Cable {
    const { cable } = this.#parts
    if (cable === undefined) throw new Error(`the host of ${this.name} has no cable`)
    return cable
  }

  /** Drains, and stays away. */
  async stop(): Promise<void> {
    const server = await this.running()
    this.#wanted = false
    const { code, stderr } = await this.#drained(server)
    if (code !== 0) this.#parts.onProblem(`${this.name} ended with ${code} when it was stopped: ${lastLines(stderr)}`)
  }

  /** One that does not end is a problem, and is killed. */
  async #drained(server: ServerProcess): Promise<ProgramEnd> {
    this.#expected = true
    try {
      return await within(server.stop(), { what: `${this.name} has ended after SIGTERM`, limitMs: drainLimitMs })
    } catch (error) {
      this.#parts.onProblem(`${errorText(error)}: ${lastLines(server.log())}`)
      return await server.kill()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true
    this.#wake()
    await this.kill()
    await this.#supervised
  }

  async #supervise(): Promise<void> {
    while (!this.#over) {
      if (!this.#wanted) {
        await this.#changed.promise
        continue
      }
      try {
        this.#expected = false
        this.#server = await this.#parts.start()
      } catch (error) {
        // Its stores may be away: it is tried again, as a supervisor does.
        this.#log += `${errorText(error)}\n`
        await delay(startAgainMs)
        continue
      }
      this.#wake()
      if (this.#over || !this.#wanted) await this.#server.kill()
      const { code, signal, stderr } = await this.#server.ended
      this.#log += stderr
      this.#server = undefined
      if (!this.#expected && !isFenced(stderr)) this.#parts.onProblem(`${this.name} ended with ${code ?? signal}: ${lastLines(stderr)}`)
    }
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

const startAgainMs = 300
/** It may have to wait for its own lease, and for stores that are away. */
const readyLimitMs = 120_000
/** It goes on for 10 s to send its clients to the others; its stores may be away for 8 s, and one after another. */
const drainLimitMs = 120_000

/** It was paused or cut off for longer than its lease. */
function isFenced(stderr: string): boolean {
  return stderr.includes('LKS-1201')
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-5).join('\n')
}

function ownStorage({ endpoint, bucket, credentials }: S3Server): ChaosStorage {
  return { endpoint, bucket, prefix: 'chaos', credentials, server: 'our own' }
}

function othersStorage(text: string): ChaosStorage {
  const url = new URL(text)
  const [bucket = '', ...prefix] = url.pathname.slice(1).split('/')
  return {
    endpoint: url.origin,
    bucket,
    prefix: [...prefix, randomUUID()].join('/'),
    credentials: { accessKeyId: decodeURIComponent(url.username), secretAccessKey: decodeURIComponent(url.password) },
    server: url.host,
  }
}
