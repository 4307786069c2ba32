// The OpenAPI description of both planes as one document, read from the schemas of the routes.
import type { FastifyInstance } from 'fastify'
import type { OpenApi, PathItem } from './openapi-document.ts'
import { dataPrefix, type PlaneName, type PlaneParts } from './plane.ts'
import { planeWithRoutes } from './planes.ts'
import { problemSchema } from './schemas.ts'

/**
 * Created on request, from separate instances that do not listen, so that it costs nothing at the start. Paths of both planes are listed once, with both
 * servers.
 */
export async function openApi(parts: PlaneParts): Promise<OpenApi> {
  const [control, data] = await Promise.all([described('control', parts), described('data', parts)])
  const urls = parts.urls()
  const servers = {
    control: { url: urls.control, description: 'Control plane' },
    data: { url: urls.data, description: 'Data plane' },
    dataOnControl: { url: `${urls.control}${dataPrefix}`, description: 'Data plane on the port of the control plane' },
  }
  const paths: Record<string, PathItem> = {}
  for (const [path, item] of Object.entries(control.paths)) paths[path] = { servers: [servers.control], ...item }
  for (const [path, item] of Object.entries(data.paths)) {
    const both = paths[path]
    paths[path] =
      both === undefined
        ? { servers: [servers.data, servers.dataOnControl], ...item }
        : { ...both, servers: [servers.control, servers.data] }
  }
  return { openapi: control.openapi, info: control.info, paths, components: { schemas: { Problem: problemSchema } } }
}

interface PlaneDocument {
  readonly openapi: string
  readonly info: OpenApi['info']
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

async function described(name: PlaneName, parts: PlaneParts): Promise<PlaneDocument> {
  const { default: swagger } = await import('@fastify/swagger')
  const app = await planeWithRoutes(name, parts, async (bare: FastifyInstance) => {
    await bare.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Local Kafka Service',
          version: parts.version,
          description: 'The control plane and the data plane of one agent. All errors have the same form; `/errors/{error}` explains each.',
        },
      },
      transformObject: (document) => completed('openapiObject' in document ? document.openapiObject : document.swaggerObject),
    })
  })
  // The cast is safe: the options above exclude the other forms that the library's type allows.
  const document = app.swagger() as unknown as PlaneDocument
  await app.close()
  return document
}

interface DescribedOperation {
  readonly operationId?: string
  readonly responses?: Readonly<Record<string, { content?: Record<string, { schema?: object }> }>>
}

/** Adds what the routes' schemas cannot express, because they also validate and serialize. */
function completed<Document extends object>(document: Document): Document {
  const { paths } = document as Document & Pick<PlaneDocument, 'paths'>
  for (const item of Object.values(paths)) {
    for (const operation of Object.values(item)) {
      if (typeof operation !== 'object' || operation === null) continue
      const { operationId, responses = {} } = operation as DescribedOperation
      // A body of raw bytes has no schema for validation.
      if (operationId === 'produceOne') Object.assign(operation, { requestBody: rawBody })
      if (operationId === 'produceLines') Object.assign(operation, { requestBody: linesBody })
      for (const [status, answer] of Object.entries(responses)) answer.content = contentOf(Number(status), answer.content ?? {})
    }
  }
  return document
}

const rawBody = {
  description: '`key:value`',
  content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' }, example: 'key:value' } },
}

const linesBody = {
  description: 'One record per line',
  content: {
    'application/x-ndjson': {
      schema: { type: 'string' },
      example: '{"key":"k","value":"v"}\n{"key":"k","value":null,"headers":[{"key":"h","value":"1"}]}',
    },
  },
}

/** Problems are always JSON and share one schema; NDJSON and events are text. */
function contentOf(status: number, content: Readonly<Record<string, { schema?: object }>>): Record<string, { schema?: object }> {
  if (status < 300)
    return Object.fromEntries(
      Object.entries(content).map(([type, body]) => [
        type,
        type in textForms ? { schema: { type: 'string', description: textForms[type] } } : body,
      ]),
    )
  const [schema] = Object.values(content).map((body) => body.schema)
  const isProblem = schema !== undefined && 'required' in schema && Array.isArray(schema.required) && schema.required.includes('request_id')
  return {
    'application/json': isProblem ? { schema: { $ref: '#/components/schemas/Problem' } } : { ...(schema !== undefined && { schema }) },
  }
}

const textForms: Readonly<Record<string, string>> = {
  'application/x-ndjson':
    'One record per line, in the form of `records` in the JSON answer. If batches could not be decoded, the last line is an object whose only member is `unreadable`, as in the JSON answer.',
  'text/event-stream':
    'One event per record, with data in the form of `records` in the JSON answer. An `unreadable` event is a batch that could not be decoded; a `problem` event has the reason for the end of the tail.',
}
