// One plane as a Fastify instance that does not listen: the guard and the gate in front of its routes, and the only code that shapes errors after them.
import { type Operation, onAbort, type RequestContext, type Resource } from '@local-kafka-service/agent'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { AnswerStreams } from './answer-stream.ts'
import { isSurplus } from './connection-room.ts'
import { lostPage, type ReadConsolePage, wantsPage } from './console-page.ts'
import { foreign, writeOfOtherPage } from './guard.ts'
import { httpLimits } from './limits.ts'
import type { OpenApi } from './openapi-document.ts'
import { bodyOf, Problem, problemOf, withStoreFailure } from './problem.ts'
import { RouteList } from './route-list.ts'
import type { ServedAgent } from './served-agent.ts'

export type PlaneName = 'control' | 'data'

/** The path of the data plane on the control plane. */
export const dataPrefix = '/data'

/** The resource that a request accesses, and the place of its name in the request. */
type GatedResource = 'cluster' | 'topic in path' | 'topic in body' | 'group in path' | 'transactional id in path'

export interface PlaneParts {
  readonly agent: ServedAgent
  /** Host names in addition to localhost and the addresses of the server. */
  readonly allowedHosts: readonly string[]
  readonly version: string
  /** The URLs of the planes, known once they listen. */
  readonly urls: () => Readonly<Record<PlaneName, string>>
  /** The description of both planes. */
  readonly describe: () => Promise<OpenApi>
  /** The memory of answers with records until they are sent, for all connections. */
  readonly answers: AnswerStreams
  /** Aborts when the agent stops: requests that wait answer with the records that they have. */
  readonly stopping: AbortSignal
  readonly readConsolePage: ReadConsolePage
  /** Writes of web pages carry it. */
  readonly pageToken: string
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered even when there are too many connections. */
    readonly operations?: true
    /** The right that the gate checks before the route runs. `NONE` needs no right: for probes and pages without contents. Every route must have it. */
    readonly access?: { readonly operation: Operation; readonly resource: GatedResource }
  }
  interface FastifyRequest {
    /** Set by the hook `onRequest`. */
    requestContext: RequestContext
    /** Whether the Content-Type is that of JSON. */
    saysJson: boolean
  }
}

export function plane(name: PlaneName, parts: PlaneParts): FastifyInstance {
  const { agent, allowedHosts, stopping, pageToken } = parts
  const app = Fastify({
    logger: false,
    genReqId: () => Buffer.from(agent.shared.random.bytes(9)).toString('base64url'),
    bodyLimit: httpLimits.controlBodyBytes,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 300 },
    // An unknown parameter is an error. Only the data plane converts text to numbers, because its parameters are in the URL.
    ajv: {
      customOptions: {
        coerceTypes: name === 'data',
        removeAdditional: false,
        useDefaults: true,
        allErrors: false,
        allowUnionTypes: true,
        // The schemas are our own and tested. Compiling JSON Schema's own schema to check them took half of the start of HTTP.
        validateSchema: false,
      },
    },
    schemaErrorFormatter: ([first], where) => new Error(schemaErrorText(first, where)),
  })
  const open = new Set<AbortController>()
  onAbort(stopping, () => {
    for (const controller of open) controller.abort()
  })
  // Fastify would choose a parser by the content type, but curl's default is that of forms.
  app.removeAllContentTypeParsers()
  app.decorateRequest('requestContext')
  app.decorateRequest('saysJson', false)
  const routes = new RouteList()
  app.addHook('onRoute', (route) => {
    routes.add(route)
    if (route.config?.access === undefined)
      throw new Error(`route ${String(route.method)} ${route.url} has no 'access' for the gate to check`)
  })
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    const rejected = foreign(request.raw, allowedHosts) ?? writeOfOtherPage(request.raw, pageToken)
    if (rejected !== undefined) return done(rejected)
    // Beyond the limit of connections, only probes and operators get an answer.
    if (isSurplus(request.raw.socket) && request.routeOptions.config.operations !== true)
      return done(new Problem('tooManyConnections', undefined, { headers: { connection: 'close' } }))
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity') return done(new Problem('unsupportedEncoding'))
    request.saysJson = /^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')
    // The body is read as raw bytes, whatever the content type, even an invalid one.
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
    // A connection that stays open after its answer would delay the stop.
    if (stopping.aborted) reply.header('connection', 'close')
    // The line break puts a shell's prompt on its own line.
    done(null, typeof payload === 'string' && payload !== '' && !payload.endsWith('\n') ? `${payload}\n` : payload)
  })
  app.addHook('preHandler', (request, _reply, done) => done(gated(agent, request)))
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request.url)
    // A person in a browser: the console is one click away.
    if (request.method === 'GET' && wantsPage(request.headers.accept)) return leadToConsole(name, reply, { request, parts })
    const methods = routes.methodsOf(path)
    if (methods.length > 0)
      throw new Problem('methodNotAllowed', `${path} does not support ${request.method}: use ${methods.join(', ')}.`, {
        headers: { allow: methods.join(', ') },
      })
    const elsewhere = otherPlane(name, request.url, parts)
    throw new Problem(
      'notFound',
      `There is no ${path} on the ${name} plane.${elsewhere === '' ? ` It has ${routes.paths.join(', ')}.` : elsewhere}`,
    )
  })
  app.setErrorHandler((error, request, reply) => {
    const problem = withStoreFailure(problemOf(error, request.routeOptions.bodyLimit), agent.storeFailure())
    if (problem.kind === 'defect')
      agent.shared.emit({ kind: 'defect', where: `${request.method} ${pathOf(request.url)}`, error: problem.cause ?? error })
    return reply
      .code(problem.row.status)
      .headers(problem.headers)
      .type('application/json; charset=utf-8')
      .serializer((body: unknown) => JSON.stringify(body))
      .send(bodyOf(problem, request.id))
  })
  return app
}

let lastConnectionId = 0
const connectionIds = new WeakMap<object, number>()

function contextOf(name: PlaneName, request: FastifyRequest, signal: AbortSignal): RequestContext {
  const { socket } = request.raw
  const connectionId = connectionIds.get(socket) ?? ++lastConnectionId
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

/** The rejection of the gate; undefined when the route may run. */
function gated(agent: ServedAgent, request: FastifyRequest): Problem | undefined {
  const { access } = request.routeOptions.config
  if (access === undefined || access.operation === 'NONE') return undefined
  const { gate } = agent.shared
  const resource = resourceOf(access.resource, request, agent.clusterId)
  if (!gate.authorize(request.requestContext, access.operation, resource)) {
    return new Problem(
      'unauthorized',
      `${request.requestContext.principal} is not authorized for ${access.operation} on ${resource.type} '${resource.name}'.`,
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
    case 'transactional id in path':
      return { type: 'TRANSACTIONAL_ID', name: member(request.params, 'id') }
    case 'topic in body':
      return { type: 'TOPIC', name: member(request.body, 'name') }
  }
}

function member(of: unknown, name: string): string {
  const value = typeof of === 'object' && of !== null ? (of as Readonly<Record<string, unknown>>)[name] : undefined
  return typeof value === 'string' ? value : ''
}

interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly params: Readonly<Record<string, unknown>>
  readonly message?: string
}

/** The parameter, and its error. */
function schemaErrorText(first: SchemaError | undefined, where: string): string {
  const of = { querystring: 'query parameter', params: 'path parameter', headers: 'header', body: 'member' }[where] ?? where
  if (first === undefined) return `The ${where} is invalid.`
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

function wrongWith({ keyword, params, message }: SchemaError): string {
  if (keyword !== 'type') return message ?? 'is invalid'
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

function leadToConsole(
  name: PlaneName,
  reply: FastifyReply,
  { request, parts }: { readonly request: FastifyRequest; readonly parts: PlaneParts },
): FastifyReply {
  // Under the host name that the browser used. On the data plane the port is another one.
  const home = name === 'control' ? '/' : `http://${request.hostname}:${new URL(parts.urls().control).port}/`
  if (name === 'data' && request.originalUrl === '/') return reply.redirect(home, 302)
  const { html, headers } = lostPage(home)
  return reply
    .code(404)
    .headers(headers)
    .type('text/html; charset=utf-8')
    .serializer((body: unknown) => String(body))
    .send(html)
}

function pathOf(url: string): string {
  return url.split('?', 1)[0]?.slice(0, 200) ?? ''
}

/** The two ports are easily confused: names the other plane if the path belongs to it. */
function otherPlane(name: PlaneName, url: string, parts: PlaneParts): string {
  const path = pathOf(url)
  const ofData = /^\/topics\/[^/]+\/(produce|messages)(\/|$)/.test(path)
  const ofControl =
    /^\/topics(\/[^/]+)?$/.test(path) ||
    /^\/(deleted-topics|groups|storage|upkeep)(\/|$)/.test(path) ||
    /^\/topics\/[^/]+\/(skip-damaged|delete-records|undelete|compact|partitions)$/.test(path)
  if (name === 'control' && ofData) return ` It is on the data plane: ${parts.urls().data}${path}`
  if (name === 'data' && ofControl) return ` It is on the control plane: ${parts.urls().control}${path}`
  return ''
}
