// The description of the API as a single HTML page, without scripts or external resources.
import type { OpenApi } from './openapi-document.ts'

export function docsPage(description: OpenApi): string {
  const { info, paths } = description
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method] as DocumentedOperation | undefined
      return operation === undefined ? [] : [{ path, method, operation, servers: item.servers }]
    }),
  )
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${text(info.title)}: HTTP API</title><style>${style}</style></head>
<body><main>
<h1>${text(info.title)}: HTTP API</h1>
<p>Version ${text(info.version)}. ${prose(info.description ?? '')} Also available as <a href="/openapi.json">OpenAPI</a>.</p>
<nav><ul>${operations.map(({ path, method, operation }) => `<li><a href="#${operation.operationId}"><b>${method.toUpperCase()}</b> ${text(path)}</a> ${text(operation.summary)}</li>`).join('')}</ul></nav>
${operations.map(section).join('\n')}
</main></body></html>
`
}

interface DocumentedOperation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly description?: string
    readonly schema: Schema
  }[]
  readonly requestBody?: { readonly description?: string; readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }>
  >
}

interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
}

interface Section {
  readonly path: string
  readonly method: string
  readonly operation: DocumentedOperation
  readonly servers: readonly { readonly url: string; readonly description: string }[]
}

const methods = ['get', 'post', 'put', 'patch', 'delete']

function section({ path, method, operation, servers }: Section): string {
  const { parameters = [], requestBody, responses } = operation
  const url = servers[0]?.url ?? ''
  return `<section id="${operation.operationId}">
<h2><b>${method.toUpperCase()}</b> ${text(path)}</h2>
<p>${text(operation.summary)}. On ${servers.map((server) => `the ${text(server.description.toLowerCase())}, ${text(server.url)}`).join(', and ')}.</p>
${operation.description === undefined ? '' : `<p>${prose(operation.description)}</p>`}
${
  parameters.length === 0
    ? ''
    : table(
        ['parameter', 'in', 'type', ''],
        parameters.map((parameter) => [
          `<code>${text(parameter.name)}</code>${parameter.required === true ? ' *' : ''}`,
          text(parameter.in),
          typeOf(parameter.schema),
          prose(parameter.description ?? ''),
        ]),
      )
}
${requestBody === undefined ? '' : bodies(requestBody)}
${table(
  ['answer', '', 'body'],
  Object.entries(responses).map(([status, answer]) => [
    text(status),
    prose(answer.description),
    Number(status) < 300 ? fieldsOf(answer) : '',
  ]),
)}
<pre>${text(curl(method, `${url}${path}`, operation))}</pre>
</section>`
}

function bodies({ description, content }: NonNullable<DocumentedOperation['requestBody']>): string {
  return Object.entries(content)
    .map(([type, { schema }]) => `<p>Body: <code>${text(type)}</code> ${prose(description ?? '')} ${fields(schema)}</p>`)
    .join('')
}

function fieldsOf(answer: DocumentedOperation['responses'][string]): string {
  const [content] = Object.values(answer.content ?? {})
  return content?.schema === undefined ? '' : fields(content.schema)
}

function fields(schema: Schema): string {
  if (schema.type === 'array' && schema.items !== undefined) return `list of ${fields(schema.items)}`
  const { properties } = schema
  if (properties === undefined) return typeOf(schema)
  const rows = Object.entries(properties).map(([name, property]) => {
    const inner = property.properties !== undefined || property.items?.properties !== undefined ? fields(property) : typeOf(property)
    return `<li><code>${text(name)}</code>${schema.required?.includes(name) === true ? '' : '?'} ${inner} ${prose(property.description ?? '')}</li>`
  })
  return `<ul>${rows.join('')}</ul>`
}

function typeOf({ type, enum: values, minimum, maximum, items }: Schema): string {
  if (values !== undefined) return values.map((value) => `<code>${text(String(value))}</code>`).join(' or ')
  const name = typeof type === 'string' ? type : (type ?? []).join(' or ')
  const bounds = minimum === undefined && maximum === undefined ? '' : ` ${minimum ?? ''}…${maximum ?? ''}`
  return `<i>${text(name)}${bounds}</i>${items === undefined ? '' : ` of ${typeOf(items)}`}`
}

function curl(method: string, url: string, { operationId }: DocumentedOperation): string {
  const filled = url.replace('{topic}', 'hello').replace('{partition}', '0').replace('{error}', 'RecordTooLargeException')
  const body =
    { createTopic: ` -d '{"name":"hello"}'`, produceOne: ' -d "key:value"', produceLines: ` -d '{"key":"k","value":"v"}'` }[operationId] ??
    ''
  return `curl${method === 'get' ? '' : ` -X ${method.toUpperCase()}`} ${filled}${body}`
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (tag: 'th' | 'td', cells: readonly string[]): string => `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`
  return `<table>${row('th', heads)}${rows.map((cells) => row('td', cells)).join('')}</table>`
}

/** Text in which `code` becomes an HTML element. */
function prose(words: string): string {
  return text(words).replace(/`([^`]*)`/g, '<code>$1</code>')
}

function text(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
main { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }
h2 { margin-top: 3rem; font: 600 1.1rem ui-monospace, monospace; border-bottom: 1px solid #8886; padding-bottom: .3rem }
nav ul { list-style: none; padding: 0 } nav b { display: inline-block; width: 4.5rem; font-family: ui-monospace, monospace }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; font-size: .9rem } th { text-align: left; font-weight: 600 }
td, th { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884; vertical-align: top } td:not(:last-child), th { overflow-wrap: normal }
td ul { margin: 0; padding-left: 1rem; list-style: none }
code, pre { font-family: ui-monospace, monospace; font-size: .9em } pre { background: #8882; padding: .8rem; overflow-x: auto; border-radius: .3rem }
`
