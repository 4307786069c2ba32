// Serves the control plane and the data plane of one agent, and stops them without interrupting an answer.
import type { RequestListener } from 'node:http'
import { number } from '@local-kafka-service/agent'
import { answerStreams } from './answer-stream.ts'
import { ConnectionRoom } from './connection-room.ts'
import { newPageToken, type ReadConsolePage } from './console-page.ts'
import { httpLimits } from './limits.ts'
import { openApi } from './openapi.ts'
import type { OpenApi } from './openapi-document.ts'
import { dataPrefix, type PlaneName, type PlaneParts } from './plane.ts'
import { planeWithRoutes } from './planes.ts'
import { RequestTurns } from './request-turns.ts'
import type { ServedAgent } from './served-agent.ts'
import { type Listening, listen, type PortAsk } from './servers.ts'

export interface HttpOptions {
  readonly control: PortAsk
  readonly data: PortAsk
  /** Host names in addition to localhost and the addresses of the server, such as `host.docker.internal`. Requests with another Host or Origin are rejected. */
  readonly allowedHosts: readonly string[]
  /** The product's version, for `/version` and the OpenAPI description. */
  readonly version: string
  /** Reads the page of the console that the build made. */
  readonly readConsolePage?: ReadConsolePage
}

export interface HttpPlane {
  /** The URL for a client on this machine. */
  readonly url: string
  readonly port: number
  readonly addresses: readonly { readonly host: string; readonly port: number }[]
  /** The busy default port, if another one is used instead. */
  readonly movedFrom: number | undefined
}

export interface HttpServers {
  readonly control: HttpPlane
  readonly data: HttpPlane
  /** Ends live tails and long waits, and makes `/readyz` report it; other requests are still answered. Call it before the agent drains. */
  drain(): void
  /** Accepts no more connections, completes requests in progress, then closes. Includes `drain`. */
  stop(): Promise<void>
}

/** Rejects with a PortError when a port is in use; then nothing listens. */
export async function serveHttp(agent: ServedAgent, options: HttpOptions): Promise<HttpServers> {
  const stopping = new AbortController()
  const listening: Partial<Record<PlaneName, Listening>> = {}
  const parts: PlaneParts = {
    agent,
    allowedHosts: options.allowedHosts,
    version: options.version,
    urls: () => ({ control: urlOf(listening.control, options.control), data: urlOf(listening.data, options.data) }),
    describe: (): Promise<OpenApi> => openApi(parts),
    stopping: stopping.signal,
    readConsolePage: options.readConsolePage ?? (() => Promise.resolve(undefined)),
    pageToken: newPageToken(agent.shared.random),
    answers: answerStreams(agent),
  }
  const [controlApp, dataApp] = await Promise.all([planeWithRoutes('control', parts), planeWithRoutes('data', parts)])
  const { emit, ioClock, settings } = agent.shared
  const maxPerAddress = (): number => number(settings, 'max.connections.per.ip')
  const room = (): ConnectionRoom => new ConnectionRoom({ clock: ioClock, emit, maxPerAddress })
  // The console's page has one origin, so the control plane has the data plane below a path.
  const handleControl: RequestListener = (request, response) => {
    if (request.url?.startsWith(`${dataPrefix}/`) !== true) return controlApp.routing(request, response)
    const url = request.url
    request.url = url.slice(dataPrefix.length)
    dataApp.routing(Object.assign(request, { originalUrl: url }), response)
  }
  const requests = new RequestTurns(ioClock)
  const control = await listen(options.control, requests.listener(handleControl), room())
  listening.control = control
  const after = (delayMs: number, callback: () => void): { cancel(): void } => agent.shared.ioClock.after(delayMs, callback)
  const handleData = requests.listener((request, response) => dataApp.routing(request, response))
  const data = await listen(options.data, handleData, room()).catch(async (error: unknown) => {
    await control.closed(0, after)
    throw error
  })
  listening.data = data
  const urls = parts.urls()

  return {
    control: { url: urls.control, port: control.port, addresses: control.addresses, movedFrom: control.movedFrom },
    data: { url: urls.data, port: data.port, addresses: data.addresses, movedFrom: data.movedFrom },
    drain: () => stopping.abort(),
    async stop() {
      stopping.abort()
      control.stopAccepting()
      data.stopAccepting()
      await Promise.all([control.closed(httpLimits.stopMs, after), data.closed(httpLimits.stopMs, after)])
      await Promise.all([controlApp.close(), dataApp.close()])
    },
  }
}

function urlOf(listening: Listening | undefined, asked: PortAsk): string {
  const { host, port } = listening?.addresses[0] ?? { host: asked.hosts[0] ?? '127.0.0.1', port: asked.port }
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
