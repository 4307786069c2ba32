// The answers to requests without a route.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ServedForTests, served } from './testing/served.ts'

let server: ServedForTests
beforeAll(async () => {
  server = await served()
  await server.topic('hello', 1)
})
afterAll(() => server.stop())

test.each(['/health', '/brokers', '/metric', '/topic'])('N14: the 404 of %s lists the paths that exist', async (path) => {
  const response = await fetch(`${server.control}${path}`)
  expect(response.status).toBe(404)
  const { message } = (await response.json()) as { readonly message: string }
  expect(message).toContain(`There is no ${path} on the control plane. It has `)
  for (const there of ['/livez', '/readyz', '/metrics', '/topics', '/topics/{topic}', '/groups']) expect(message).toContain(there)
})

test.each([
  ['control', 'PUT', '/topics', 'GET, POST'],
  ['control', 'PUT', '/topics/hello?x=1', 'DELETE, GET, PATCH'],
  ['control', 'POST', '/livez', 'GET'],
  ['data', 'GET', '/topics/hello/produce/0', 'POST'],
  ['data', 'DELETE', '/topics/hello/messages/0', 'GET'],
] as const)('N14: on the %s plane %s %s is a 405 that allows %s', async (plane, method, path, allow) => {
  const response = await fetch(`${server[plane]}${path}`, { method })
  expect(response.status).toBe(405)
  expect(response.headers.get('allow')).toBe(allow)
  expect(await response.json()).toMatchObject({
    error: 'MethodNotAllowedException',
    error_code: 405,
    message: expect.stringContaining(allow),
  })
})

test.each(['/livez', '/readyz', '/metrics', '/topics', '/topics/hello', '/topics/nope', '/groups', '/nope', '/', '/docs', '/openapi.json'])(
  'N14: the answer of %s ends with a line break, and its length includes it',
  async (path) => {
    const response = await fetch(`${server.control}${path}`)
    const body = await response.text()
    expect(body.endsWith('\n')).toBe(true)
    expect(body.endsWith('\n\n')).toBe(false)
    const length = response.headers.get('content-length')
    if (length !== null) expect(Number(length)).toBe(Buffer.byteLength(body))
  },
)
