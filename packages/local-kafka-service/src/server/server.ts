// One server in this process: takes the data directory, opens the stores, joins the agent, serves HTTP; and ends it all in the order that loses nothing.
import { createServer } from 'node:net'
import { hostname } from 'node:os'
import { type Agent, type Clock, type EventHook, holdTcpPort, type Interceptors, type OpenedParts, text } from '@local-kafka-service/agent'
import type { HttpServers } from '@local-kafka-service/http'
import { productVersion } from '../version.ts'
import { awake } from './awake.ts'
import { type DataDirectory, takeDataDirectory } from './data-directory.ts'
import { flushPolicy } from './flush-policy.ts'
import type { HttpPlan, ServerPlan } from './server-plan.ts'

export interface Server {
  readonly agent: Agent
  readonly clusterId: string
  /** Where Kafka clients reach it; the first is the one to tell. */
  readonly kafka: readonly { readonly host: string; readonly port: number }[]
  readonly http: HttpServers | undefined
  readonly ended: Agent['ended']
  readonly clock: Clock
  /** What the machine's last end did to the newest messages, where it may have done anything. */
  readonly recovered: OpenedParts['recovered']
  /** What a fork begins with; undefined where the metadata is in PostgreSQL. */
  readonly copies: OpenedParts['copies']
  /** Writes everything that is committed into one file. */
  snapshot(path: string): Promise<void>
  /** Stops accepting, answers what was admitted, flushes, gives its slots up, then ends HTTP and closes the stores. Called again it waits for the same end. */
  stop(): Promise<void>
  /** Ends the agent at once, as a crash would, then closes what it stood on. */
  kill(): Promise<void>
}

/** Rejects with a UserError where a person can help; nothing is left open then. `interceptors`: the faults of a test; the command has none. */
export async function startServer(plan: ServerPlan, emit: EventHook, interceptors?: Interceptors): Promise<Server> {
  return await awake(start(plan, emit, interceptors))
}

async function start(plan: ServerPlan, emit: EventHook, interceptors: Interceptors | undefined): Promise<Server> {
  const held: Held = {}
  try {
    if (plan.dataDirectory !== undefined) held.directory = takeDataDirectory(plan.dataDirectory)
    if (plan.http !== undefined) await tryPorts(plan.http, plan.hosts)
    const port = await holdTcpPort(
      plan.hosts.map((host) => ({ host, port: plan.kafkaPort })),
      plan,
    )
    held.port = port
    // Loaded behind the open port: whoever has come meanwhile waits there.
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
      // A fork may read the directory's objects for longer than this server runs: until then nobody else may remove them.
      onFree: () => release(held),
      emit,
      ...(interceptors && { interceptors }),
    })
    held.opened = opened
    held.directory?.used()
    if (held.directory?.rebooted === true) held.directory.recovered()
    const agent = await createAgent(opened.parts, {
      settings: plan.settings,
      listen: opened.listen,
      ...(plan.advertised && { advertised: plan.advertised }),
      takeOver: plan.takeOver,
      machine: hostname(),
      flush: flushPolicy(plan.settings, { putsCost: plan.objects.kind === 's3' || plan.storeLatencyMs > 0 }),
    })
    held.agent = agent
    if (plan.beginsWith !== undefined) await agent.services.groups.vacate()
    const http = plan.http === undefined ? undefined : await serveBeside(agent, plan.http, plan)
    if (http !== undefined) held.http = http
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

/** What is open so far. */
interface Held {
  directory?: DataDirectory
  /** Closed with what is opened over it, once there is that. */
  port?: Awaited<ReturnType<typeof holdTcpPort>>
  opened?: OpenedParts
  agent?: Agent
  http?: HttpServers
}

/** A step that fails keeps none behind it from its turn. */
async function end(held: Held): Promise<void> {
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

/** Once, for whoever comes to it first. */
function release(held: Held): void {
  held.directory?.release()
  delete held.directory
}

/** Loaded only when it is wanted, and after the Kafka port is open. */
async function serveBeside(agent: Agent, plan: HttpPlan, { hosts, holdsProcess }: ServerPlan): Promise<HttpServers> {
  const { serveHttp } = await import('@local-kafka-service/http')
  return await serveHttp(agent, {
    control: { hosts, holdsProcess, ...plan.control },
    data: { hosts, holdsProcess, ...plan.data },
    allowedHosts: plan.allowedHosts,
    version: productVersion(),
  })
}

/**
 * Asks for the HTTP ports that may not move before anything is opened: a start that would fail on one must not first end the agent that runs under the
 * same name. Each is free again until HTTP opens it for good; whoever takes it in between makes the start fail all the same, only later.
 */
async function tryPorts(http: HttpPlan, hosts: readonly string[]): Promise<void> {
  const fixed = [http.control, http.data].filter(({ port, movable }) => !movable && port !== 0)
  await Promise.all(fixed.flatMap(({ port }) => hosts.map((host) => tryPort(host, port))))
}

async function tryPort(host: string, port: number): Promise<void> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    // An address family that the machine lacks is HTTP's to leave out.
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
