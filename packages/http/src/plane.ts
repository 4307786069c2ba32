// One plane as a Fastify instance that listens nowhere: time-outs of its routes, the guard and the gate in front of them, the one shaper of errors behind them.
import type { Operation, RequestContext, Resource } from '@local-kafka-service/agent'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { AnswerStreams } from './answer-stream.ts'
import { isSurplus } from './connection-room.ts'
import { foreign } from './guard.ts'
import { httpLimits } from './limits.ts'
import type { OpenApi } from './openapi.ts'
import { bodyOf, Problem, problemOf, withTrouble } from './problem.ts'
import { RouteList } from './route-list.ts'
import type { ServedAgent } from './served-agent.ts'

export type PlaneName = 'control' | 'data'

/** Where in a request the name of what it touches stands. */
type GatedResource = 'cluster' | 'topic in path' | 'topic in body' | 'group in path'

export interface PlaneParts {
  readonly agent: ServedAgent
  /** Host names beside localhost and the addresses listened on. */
  readonly allowedHosts: readonly string[]
  readonly version: string
  /** Where another agent's data plane is, as `http://host:port`, when it is known. */
  readonly dataUrlOf: (brokerId: number) => string | undefined
  /** Where the planes listen; known once they do. */
  readonly urls: () => Readonly<Record<PlaneName, string>>
  /** The description of both planes. */
  readonly describe: () => Promise<OpenApi>
  /** What answers with records hold until they are sent, of all connections together. */
  readonly answers: AnswerStreams
  /** Aborts when the agent stops: whatever waits answers with what it has. */
  readonly stopping: AbortSignal
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the gate is asked before the route runs. `NONE` asks nothing: for probes and pages without contents. Every route must have it. */
    /** Answered even when there are too many connections. */
    readonly operations?: true
    readonly access?: { readonly operation: Operation; readonly resource: GatedResource }
  }
  interface FastifyRequest {
    /** Made when it is first asked for. */
    requestContext: RequestContext
    /** Whether its Content-Type is JSON's. */
    saysJson: boolean
  }
}

export function plane(name: PlaneName, parts: PlaneParts): FastifyInstance {
  const { agent, allowedHosts, stopping } = parts
  const app = Fastify({
    logger: false,
    genReqId: () => Buffer.from(agent.services.random.bytes(9)).toString('base64url'),
    bodyLimit: httpLimits.controlBodyBytes,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 300 },
    // Nothing is dropped or guessed: an unknown parameter is an error. What stands in a URL is text, so there alone numbers are read from it.
    ajv: {
      customOptions: {
        coerceTypes: name === 'data',
        removeAdditional: false,
        useDefaults: true,
        allErrors: false,
        allowUnionTypes: true,
        // The schemas are ours and tested; compiling JSON Schema's own schema to check them was half of the time in which HTTP starts.
        validateSchema: false,
      },
    },
    schemaErrorFormatter: ([first], where) => new Error(schemaTrouble(first, where)),
  })
  const open = new Set<AbortController>()
  stopping.addEventListener('abort', () => {
    for (const controller of open) controller.abort()
  })
  // Not Fastify's own reading of bodies by their type: curl's default type is that of forms.
  app.removeAllContentTypeParsers()
  app.decorateRequest('requestContext')
  app.decorateRequest('saysJson', false)
  const routes = new RouteList()
  app.addHook('onRoute', (route) => {
    routes.add(route)
    if (route.config?.access === undefined)
      throw new Error(`route ${String(route.method)} ${route.url} does not say what the gate must be asked`)
  })
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    const refused = foreign(request.raw, allowedHosts)
    if (refused !== undefined) return done(refused)
    // Beyond the number of connections only probes and people who look for the cause are answered.
    if (isSurplus(request.raw.socket) && request.routeOptions.config.operations !== true)
      return done(new Problem('tooManyConnections', undefined, { headers: { connection: 'close' } }))
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity') return done(new Problem('unsupportedEncoding'))
    request.saysJson = /^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')
    // Any content type, also one that is none, is taken for the raw bytes that it labels.
    delete request.raw.headers['content-type']
    const controller = new AbortController()
    open.add(controller)
    if (stopping.aborted) controller.abort()
    reply.raw.on('close', () => {
      open.delete(controller)
      controller.abort()
    })
    request.requestContext = contextOf(name, request, controller.signal)
    done()
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    // A connection that stays open after its answer would hold up the stop.
    if (stopping.aborted) reply.header('connection', 'close')
    // A shell's prompt begins on a line of its own.
    done(null, typeof payload === 'string' && payload !== '' && !payload.endsWith('\n') ? `${payload}\n` : payload)
  })
  app.addHook('preHandler', (request, _reply, done) => done(gated(agent, request)))
  app.setNotFoundHandler((request) => {
    const path = pathOf(request.url)
    const methods = routes.methodsOf(path)
    if (methods.length > 0)
      throw new Problem('methodNotAllowed', `${path} takes ${methods.join(', ')}, not ${request.method}.`, {
        headers: { allow: methods.join(', ') },
      })
    const elsewhere = otherPlane(name, request.url, parts)
    throw new Problem(
      'notFound',
      `There is no ${path} on the ${name} plane.${elsewhere === '' ? ` It has ${routes.paths.join(', ')}.` : elsewhere}`,
    )
  })
  app.setErrorHandler((error, request, reply) => {
    const problem = withTrouble(problemOf(error, request.routeOptions.bodyLimit), agent.services.stores.trouble)
    if (problem.kind === 'defect')
      agent.services.emit({ kind: 'defect', where: `${request.method} ${pathOf(request.url)}`, error: problem.cause ?? error })
    return reply
      .code(problem.row.status)
      .headers(problem.headers)
      .type('application/json; charset=utf-8')
      .serializer((body: unknown) => JSON.stringify(body))
      .send(bodyOf(problem, request.id))
  })
  return app
}

let connections = 0
const connectionIds = new WeakMap<object, number>()

function contextOf(name: PlaneName, request: FastifyRequest, signal: AbortSignal): RequestContext {
  const { socket } = request.raw
  const connectionId = connectionIds.get(socket) ?? ++connections
  connectionIds.set(socket, connectionId)
  return {
    principal: 'User:ANONYMOUS',
    listener: name === 'control' ? 'HTTP-CONTROL' : 'HTTP-DATA',
    client: { id: request.headers['user-agent'] ?? null, software: undefined, address: socket.remoteAddress ?? '', connectionId },
    requestId: request.id,
    apiVersion: 0,
    signal,
    advertised: { host: socket.localAddress ?? '', port: socket.localPort ?? 0 },
  }
}

/** What the gate refuses; undefined when the route may run. */
function gated(agent: ServedAgent, request: FastifyRequest): Problem | undefined {
  const { access } = request.routeOptions.config
  if (access === undefined || access.operation === 'NONE') return undefined
  const { gate } = agent.services
  const resource = resourceOf(access.resource, request, agent.clusterId)
  if (!gate.authorize(request.requestContext, access.operation, resource)) {
    return new Problem(
      'unauthorized',
      `${request.requestContext.principal} may not ${access.operation} ${resource.type} '${resource.name}'.`,
    )
  }
  const waitMs = gate.throttle(request.requestContext)
  return waitMs > 0 ? new Problem('throttled', undefined, { headers: { 'retry-after': String(Math.ceil(waitMs / 1000)) } }) : undefined
}

function resourceOf(kind: GatedResource, request: FastifyRequest, clusterId: string): Resource {
  switch (kind) {
    case 'cluster':
      return { type: 'CLUSTER', name: clusterId }
    case 'topic in path':
      return { type: 'TOPIC', name: member(request.params, 'topic') }
    case 'group in path':
      return { type: 'GROUP', name: member(request.params, 'group') }
    case 'topic in body':
      return { type: 'TOPIC', name: member(request.body, 'name') }
  }
}

function member(of: unknown, name: string): string {
  const value = typeof of === 'object' && of !== null ? (of as Readonly<Record<string, unknown>>)[name] : undefined
  return typeof value === 'string' ? value : ''
}

interface SchemaTrouble {
  readonly keyword: string
  readonly instancePath: string
  readonly params: Readonly<Record<string, unknown>>
  readonly message?: string
}

/** Names the parameter and what is wrong with it. */
function schemaTrouble(first: SchemaTrouble | undefined, where: string): string {
  const of = { querystring: 'query parameter', params: 'path parameter', headers: 'header', body: 'member' }[where] ?? where
  if (first === undefined) return `The ${where} is wrong.`
  const path = first.instancePath.slice(1).replaceAll('/', '.')
  switch (first.keyword) {
    case 'additionalProperties':
      return `There is no ${of} '${String(first.params['additionalProperty'])}'${where === 'body' ? ' here' : ''}.`
    case 'required':
      return `The ${of} '${String(first.params['missingProperty'])}' is missing.`
    default:
      return `${path === '' ? `The ${where}` : `The ${of} '${path}'`} ${wrongWith(first)}.`
  }
}

function wrongWith({ keyword, params, message }: SchemaTrouble): string {
  if (keyword !== 'type') return message ?? 'is wrong'
  const types = [params['type']].flat().map((type) => typeNames.get(String(type)) ?? String(type))
  return `must be ${types.join(' or ')}`
}

const typeNames: ReadonlyMap<string, string> = new Map([
  ['integer', 'a whole number'],
  ['number', 'a number'],
  ['string', 'a string'],
  ['boolean', 'true or false'],
  ['object', 'a JSON object'],
])

function pathOf(url: string): string {
  return url.split('?', 1)[0]?.slice(0, 200) ?? ''
}

/** The two ports are easily confused: says so when the path is one of the other plane. */
function otherPlane(name: PlaneName, url: string, parts: PlaneParts): string {
  const path = pathOf(url)
  const ofData = /^\/topics\/[^/]+\/(produce|messages)(\/|$)/.test(path)
  const ofControl = /^\/topics(\/[^/]+)?$/.test(path) || /^\/groups(\/|$)/.test(path)
  if (name === 'control' && ofData) return ` It is on the data plane: ${parts.urls().data}${path}`
  if (name === 'data' && ofControl) return ` It is on the control plane: ${parts.urls().control}${path}`
  return ''
}
