// Serves the control plane and the data plane of one agent, and stops them without cutting an answer.
import { answerStreams } from './answer-stream.ts'
import { ConnectionRoom } from './connection-room.ts'
import { httpLimits } from './limits.ts'
import { type OpenApi, openApi } from './openapi.ts'
import type { PlaneName, PlaneParts } from './plane.ts'
import { planeWithRoutes } from './planes.ts'
import type { ServedAgent } from './served-agent.ts'
import { type Listening, listen, type PortAsk } from './servers.ts'

export interface HttpOptions {
  readonly control: PortAsk
  readonly data: PortAsk
  /** Host names beside localhost and the addresses listened on, as `host.docker.internal`: requests with another Host or Origin are refused. */
  readonly allowedHosts: readonly string[]
  /** The product's, as `/version` and the OpenAPI description say it. */
  readonly version: string
  /** Where another agent's data plane is, as `http://host:port`: then a request for its partition is answered 307, else 503 with its name. */
  readonly dataUrlOf?: (brokerId: number) => string | undefined
}

export interface HttpPlane {
  /** As a client on this machine reaches it. */
  readonly url: string
  readonly port: number
  readonly addresses: readonly { readonly host: string; readonly port: number }[]
  /** The default port that was busy, when it was moved on from. */
  readonly movedFrom: number | undefined
}

export interface HttpServers {
  readonly control: HttpPlane
  readonly data: HttpPlane
  /** Ends live tails and long waits, lets `/readyz` say so; everything else is still answered. Call it before the agent drains. */
  drain(): void
  /** Accepts nothing more, lets requests in progress end, then closes. Includes `drain`. */
  stop(): Promise<void>
}

/** Rejects with a PortError when an asked-for port is taken; nothing listens then. */
export async function serveHttp(agent: ServedAgent, options: HttpOptions): Promise<HttpServers> {
  const stopping = new AbortController()
  const listening: Partial<Record<PlaneName, Listening>> = {}
  const parts: PlaneParts = {
    agent,
    allowedHosts: options.allowedHosts,
    version: options.version,
    dataUrlOf: options.dataUrlOf ?? (() => undefined),
    urls: () => ({ control: urlOf(listening.control, options.control), data: urlOf(listening.data, options.data) }),
    describe: (): Promise<OpenApi> => openApi(parts),
    stopping: stopping.signal,
    answers: answerStreams(agent),
  }
  const [controlApp, dataApp] = await Promise.all([planeWithRoutes('control', parts), planeWithRoutes('data', parts)])
  const { emit, ioClock } = agent.services
  const room = (): ConnectionRoom => new ConnectionRoom({ clock: ioClock, emit })
  const control = await listen(options.control, (request, response) => controlApp.routing(request, response), room())
  listening.control = control
  const after = (delayMs: number, callback: () => void): { cancel(): void } => agent.services.ioClock.after(delayMs, callback)
  const data = await listen(options.data, (request, response) => dataApp.routing(request, response), room()).catch(
    async (error: unknown) => {
      await control.closed(0, after)
      throw error
    },
  )
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
