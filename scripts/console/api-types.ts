// The types of the HTTP API for the console, written from its OpenAPI description: the console knows nothing else of the server.

interface Schema {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly $ref?: string
}

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean; readonly schema: Schema }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }>>
}

interface Described {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

const methods = ['get', 'post', 'put', 'patch', 'delete']

/** The text of a TypeScript module. `description`: docs/reference/openapi.json. */
export function apiTypes(description: string): string {
  // The cast is safe because a unit test of packages/http writes this file from the routes.
  const { paths, components } = JSON.parse(description) as Described
  const found = Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method] as Operation | undefined
      return operation === undefined ? [] : [{ path, method: method.toUpperCase(), operation, plane: planeOf(item) }]
    }),
  )
  const problem = components.schemas['Problem']
  return `// The operations of the HTTP API. It is one thing, and long: generated from docs/reference/openapi.json by pnpm check --write; do not edit.

export interface Operations {
${found.map(({ operation }) => `  /** ${operation.summary}. */\n  ${operation.operationId}: ${typeOfOperation(operation)}`).join('\n')}
}

export const routes = {
${found.map(({ path, method, plane, operation }) => `  ${operation.operationId}: { method: '${method}', path: '${path}', plane: '${plane}' },`).join('\n')}
} as const

/** The form of every error. */
export interface Problem ${problem === undefined ? '{}' : typeOf(problem, '')}
`
}

/** Paths of both planes are asked on the control plane. */
function planeOf(item: Readonly<Record<string, unknown>>): 'control' | 'data' {
  const servers = item['servers'] as readonly { readonly description: string }[]
  return servers.some(({ description }) => description === 'Control plane') ? 'control' : 'data'
}

function typeOfOperation({ parameters = [], requestBody, responses }: Operation): string {
  const of = (place: string): string =>
    typeOf(
      {
        type: 'object',
        properties: Object.fromEntries(parameters.filter((one) => one.in === place).map(({ name, schema }) => [name, schema])),
        required: parameters.filter((one) => one.in === place && one.required === true).map(({ name }) => name),
      },
      '    ',
    )
  const body = requestBody?.content['application/json']?.schema
  const answer = responses['200']?.content?.['application/json']?.schema
  return `{
    params: ${of('path')}
    query: ${of('query')}
    body: ${body === undefined ? (requestBody === undefined ? 'undefined' : 'string') : typeOf(body, '    ')}
    answer: ${answer === undefined ? 'string' : typeOf(answer, '    ')}
  }`
}

function typeOf(schema: Schema, indent: string): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => (typeof value === 'string' ? `'${value}'` : String(value))).join(' | ')
  const types = [schema.type ?? 'unknown'].flat()
  return types.map((type) => typeNamed(type, schema, indent)).join(' | ')
}

function typeNamed(type: string, schema: Schema, indent: string): string {
  switch (type) {
    case 'integer':
    case 'number':
      return 'number'
    case 'string':
    case 'boolean':
    case 'null':
      return type
    case 'array':
      return `readonly ${grouped(schema.items === undefined ? 'unknown' : typeOf(schema.items, indent))}[]`
    case 'object':
      return objectType(schema, indent)
    default:
      return 'unknown'
  }
}

function objectType({ properties, required = [], additionalProperties }: Schema, indent: string): string {
  if (properties === undefined || Object.keys(properties).length === 0)
    return typeof additionalProperties === 'object'
      ? `Readonly<Record<string, ${typeOf(additionalProperties, indent)}>>`
      : 'Readonly<Record<never, never>>'
  const lines = Object.entries(properties).map(
    ([name, property]) =>
      `${indent}  readonly ${/^\w+$/.test(name) ? name : `'${name}'`}${required.includes(name) ? '' : '?'}: ${typeOf(property, `${indent}  `)}`,
  )
  return `{\n${lines.join('\n')}\n${indent}}`
}

function grouped(type: string): string {
  return type.includes(' | ') ? `(${type})` : type
}
