// One server in this process: takes the data directory, opens the stores, joins the agent, serves HTTP; and ends it all in the order that loses nothing.
import { type Agent, createAgent, type EventHook, type OpenedParts, openParts, text } from '@local-kafka-service/agent'
import type { HttpServers } from '@local-kafka-service/http'
import { type DataDirectory, takeDataDirectory } from './data-directory.ts'
import { flushPolicy } from './flush-policy.ts'
import type { HttpPlan, ServerPlan } from './server-plan.ts'
import { explainStart } from './start-errors.ts'
import { productVersion } from './version.ts'

export interface Server {
  readonly clusterId: string
  /** Where Kafka clients reach it; the first is the one to tell. */
  readonly kafka: readonly { readonly host: string; readonly port: number }[]
  readonly http: HttpServers | undefined
  readonly ended: Agent['ended']
  /** Stops accepting, answers what was admitted, flushes, gives its slots up, then ends HTTP and closes the stores. Called again it waits for the same end. */
  stop(): Promise<void>
  /** Ends the agent at once, as a crash would, then closes what it stood on. */
  kill(): Promise<void>
}

/** Rejects with a UserError where a person can help; nothing is left open then. */
export async function startServer(plan: ServerPlan, emit: EventHook): Promise<Server> {
  return await awake(start(plan, emit))
}

async function start(plan: ServerPlan, emit: EventHook): Promise<Server> {
  const held: Held = {}
  try {
    if (plan.dataDirectory !== undefined) held.directory = takeDataDirectory(plan.dataDirectory)
    const opened = await openParts({
      objects: plan.objects,
      metadata: plan.metadata,
      durability: durabilityOf(plan),
      storeLatencyMs: plan.storeLatencyMs,
      clusterId: text(plan.settings, 'cluster.id'),
      emit,
    })
    held.opened = opened
    await tryPorts(opened, plan)
    const agent = await createAgent(opened.parts, {
      settings: plan.settings,
      listen: plan.hosts.map((host) => ({ host, port: plan.kafkaPort })),
      ...(plan.advertised && { advertised: plan.advertised }),
      flush: flushPolicy(plan.settings, { putsCost: plan.objects.kind === 's3' || plan.storeLatencyMs > 0 }),
    })
    held.agent = agent
    const http = plan.http === undefined ? undefined : await serveBeside(agent, plan.http, plan.hosts)
    if (http !== undefined) held.http = http
    let ending: Promise<void> | undefined
    return {
      clusterId: agent.clusterId,
      kafka: agent.addresses,
      http,
      ended: agent.ended,
      stop: () => (ending ??= awake(end(held))),
      kill() {
        agent.kill()
        return (ending ??= awake(end(held)))
      },
    }
  } catch (error) {
    await end(held)
    throw explainStart(error, plan)
  }
}

/** The agent's own timers keep no process alive: before it listens, and after it has stopped listening, something must. */
async function awake<T>(work: Promise<T>): Promise<T> {
  const alive = setInterval(() => {}, 2 ** 30)
  try {
    return await work
  } finally {
    clearInterval(alive)
  }
}

/** What is open so far. */
interface Held {
  directory?: DataDirectory
  opened?: OpenedParts
  agent?: Agent
  http?: HttpServers
}

/** A step that fails keeps none behind it from its turn. */
async function end({ directory, opened, agent, http }: Held): Promise<void> {
  try {
    http?.drain()
    await agent?.drain()
  } finally {
    try {
      await http?.stop()
    } finally {
      try {
        await opened?.close()
      } finally {
        directory?.release()
      }
    }
  }
}

/** Loaded only when it is wanted, and after the Kafka port is open. */
async function serveBeside(agent: Agent, plan: HttpPlan, hosts: readonly string[]): Promise<HttpServers> {
  const { serveHttp } = await import('@local-kafka-service/http')
  return await serveHttp(agent, {
    control: { hosts, ...plan.control },
    data: { hosts, ...plan.data },
    allowedHosts: plan.allowedHosts,
    version: productVersion(),
  })
}

/**
 * Asks for the fixed ports before the agent registers: a start that would fail on a busy port must not first end the agent that runs under the same
 * name. The port is free again until it is opened for good; who takes it in between is told the same a moment later.
 */
async function tryPorts(opened: OpenedParts, { hosts, kafkaPort, http }: ServerPlan): Promise<void> {
  const asked = [
    kafkaPort,
    ...(http === undefined ? [] : [http.control, http.data].filter(({ movable }) => !movable).map(({ port }) => port)),
  ]
  for (const port of asked.filter((candidate) => candidate !== 0)) {
    const listener = await opened.parts.network.listen(
      hosts.map((host) => ({ host, port })),
      (socket) => {
        socket.destroy()
        return { data() {}, drained() {}, closed() {} }
      },
    )
    await listener.close()
  }
}

function durabilityOf({ settings }: ServerPlan): 'strict' | 'os' | 'memory' {
  const mode = text(settings, 'durability')
  if (mode === 'strict' || mode === 'os' || mode === 'memory') return mode
  throw new RangeError(`durability: ${mode}`)
}
