// One server in this process: takes the data directory, opens the stores, runs the agent and serves HTTP; and ends all of it in an order that loses nothing.
import { createServer } from 'node:net'
import { hostname, totalmem } from 'node:os'
import { type Agent, type Clock, type EventHook, holdTcpPort, type Interceptors, type OpenedParts, text } from '@local-kafka-service/agent'
import type { HttpServers } from '@local-kafka-service/http'
import { productVersion } from '../version.ts'
import type { WantedTopic } from '../wanted-topics.ts'
import { awake } from './awake.ts'
import { readConsolePage } from './console-page.ts'
import { type DataDirectory, takeDataDirectory } from './data-directory.ts'
import { flushPolicy } from './flush-policy.ts'
import { httpUrls } from './http-urls.ts'
import type { HttpPlan, ServerPlan } from './server-plan.ts'

export interface Server {
  readonly agent: Agent
  readonly clusterId: string
  /** The addresses for Kafka clients; the first is the one to print. */
  readonly kafka: readonly { readonly host: string; readonly port: number }[]
  readonly http: HttpServers | undefined
  readonly ended: Agent['ended']
  readonly clock: Clock
  /** The damage of a power loss to the newest messages; undefined if there cannot be any. */
  readonly recovered: OpenedParts['recovered']
  /** The source of a fork; undefined if the metadata is in PostgreSQL. */
  readonly copies: OpenedParts['copies']
  /** Writes all committed data into one file. */
  snapshot(path: string): Promise<void>
  /** Stops accepting, answers pending requests, flushes, releases its slots, then ends HTTP and closes the stores. A second call waits for the same end. */
  stop(): Promise<void>
  /** Ends the agent at once, as a crash would, then closes its stores. */
  kill(): Promise<void>
}

/** Rejects with a UserError if the user can fix the cause, with nothing left open. `interceptors`: the faults of a test; the command has none. */
export async function startServer(plan: ServerPlan, emit: EventHook, interceptors?: Interceptors): Promise<Server> {
  return await awake(start(plan, emit, interceptors))
}

async function start(plan: ServerPlan, emit: EventHook, interceptors: Interceptors | undefined): Promise<Server> {
  const held: OpenResources = {}
  try {
    if (plan.dataDirectory !== undefined) held.directory = takeDataDirectory(plan.dataDirectory)
    if (plan.http !== undefined) await tryPorts(plan.http, plan.hosts)
    const port = await holdTcpPort(
      plan.hosts.map((host) => ({ host, port: plan.kafkaPort })),
      plan,
    )
    held.port = port
    // Loaded after the port is open: early clients wait there.
    const { createAgent, openParts } = await import('@local-kafka-service/agent')
    const opened = await openParts({
      port,
      objects: plan.objects,
      metadata: plan.metadata,
      durability: durabilityOf(plan),
      afterPowerLoss: held.directory?.rebooted ?? false,
      storeLatencyMs: plan.storeLatencyMs,
      holdsProcess: plan.holdsProcess,
      clusterId: text(plan.settings, 'cluster.id'),
      ...(plan.time && { time: plan.time }),
      ...(plan.beginsWith && { beginsWith: plan.beginsWith }),
      // A fork may read the directory's objects after this server has ended: until then no other server may remove them.
      onFree: () => release(held),
      emit,
      ...(interceptors && { interceptors }),
    })
    held.opened = opened
    held.directory?.used()
    if (held.directory?.rebooted === true) held.directory.recovered()
    const agent = await createAgent(
      { ...opened.parts, machineBytes: machineBytes() },
      {
        settings: plan.settings,
        listen: opened.listen,
        ...(plan.advertised && { advertised: plan.advertised }),
        takeOver: plan.takeOver,
        machine: hostname(),
        flush: flushPolicy(plan.settings, { putsCost: plan.objects.kind === 's3' || plan.storeLatencyMs > 0 }),
      },
    )
    held.agent = agent
    if (plan.beginsWith !== undefined) await agent.operations.groups.vacate()
    if (plan.topics !== undefined && plan.topics.length > 0) await provideTopics(agent, plan.topics)
    const http = plan.http === undefined ? undefined : await serveBeside(agent, plan.http, plan)
    if (http !== undefined) {
      held.http = http
      agent.publishHttp(httpUrls(plan, http))
    }
    let ending: Promise<void> | undefined
    return {
      agent,
      clusterId: agent.clusterId,
      kafka: agent.addresses,
      http,
      ended: agent.ended,
      clock: opened.parts.clock,
      recovered: opened.recovered,
      copies: opened.copies,
      snapshot: (path) => opened.snapshot(path),
      stop: () => (ending ??= awake(end(held))),
      kill() {
        agent.kill()
        return (ending ??= awake(end(held)))
      },
    }
  } catch (error) {
    await end(held)
    const { explainStart } = await import('./start-errors.ts')
    throw explainStart(error, plan)
  }
}

/** The memory of the machine, or of the container that the process runs in. */
function machineBytes(): number {
  const ofContainer = process.constrainedMemory()
  return ofContainer > 0 ? Math.min(ofContainer, totalmem()) : totalmem()
}

/** The parts that are open. */
interface OpenResources {
  directory?: DataDirectory
  /** Closed together with the parts that use it, once they exist. */
  port?: Awaited<ReturnType<typeof holdTcpPort>>
  opened?: OpenedParts
  agent?: Agent
  http?: HttpServers
}

/** A step that fails does not prevent the next ones. */
async function end(held: OpenResources): Promise<void> {
  const { opened, agent, http } = held
  try {
    http?.drain()
    await agent?.drain()
  } finally {
    try {
      await http?.stop()
    } finally {
      try {
        await (opened ?? held.port)?.close()
      } finally {
        if (opened === undefined) release(held)
      }
    }
  }
}

/** Runs once, for the first caller. */
function release(held: OpenResources): void {
  held.directory?.release()
  delete held.directory
}

/** An existing topic is left as it is. Rejects with a UserError for a topic that cannot be created. */
async function provideTopics({ operations: { topics } }: Agent, wanted: readonly WantedTopic[]): Promise<void> {
  for (const { name, partitionCount } of wanted) {
    const [found] = await topics.find([name], { autoCreate: false })
    if (found?.kind === 'ok') continue
    const made = await topics.create({ name, partitions: partitionCount, configs: {}, dryRun: false })
    if (made.kind === 'ok') continue
    const { UserError } = await import('../user-error.ts')
    throw new UserError('LKS-1004', {
      what: `--topic: '${name}' cannot be created`,
      ...(made.message !== undefined && { why: made.message }),
      fix: ['use another name or count: --topic orders:3'],
    })
  }
}

/** Loaded only if needed, and after the Kafka port is open. */
async function serveBeside(agent: Agent, plan: HttpPlan, { hosts, holdsProcess, advertised }: ServerPlan): Promise<HttpServers> {
  const { serveHttp } = await import('@local-kafka-service/http')
  return await serveHttp(agent, {
    control: { hosts, holdsProcess, ...plan.control },
    data: { hosts, holdsProcess, ...plan.data },
    allowedHosts: [...plan.allowedHosts, ...(advertised === undefined ? [] : [advertised.host])],
    version: productVersion(),
    readConsolePage,
  })
}

/**
 * Probes the fixed HTTP ports before anything is opened: a start that would fail on one must not first end a running agent of the
 * same name. Each port is free again until HTTP opens it; if another program takes it in between, the start fails later.
 */
async function tryPorts(http: HttpPlan, hosts: readonly string[]): Promise<void> {
  const fixed = [http.control, http.data].filter(({ port, movable }) => !movable && port !== 0)
  await Promise.all(fixed.flatMap(({ port }) => hosts.map((host) => tryPort(host, port))))
}

async function tryPort(host: string, port: number): Promise<void> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    // HTTP skips an address family that the machine lacks.
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' || error.code === 'EACCES' ? reject(error) : resolve(),
    )
    server.listen({ host, port, ipv6Only: host.includes(':'), exclusive: true }, () => server.close(() => resolve()))
  })
}

function durabilityOf({ settings }: ServerPlan): 'strict' | 'os' | 'memory' {
  const mode = text(settings, 'durability')
  if (mode === 'strict' || mode === 'os' || mode === 'memory') return mode
  throw new RangeError(`durability: ${mode}`)
}
