// The console's page: who gets it, what it may do, and who may write.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { json } from './testing/json.ts'
import { type ServedForTests, served } from './testing/served.ts'

const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }
const built = '<meta name="lks-page-token" content="{{token}}"><script nonce="{{nonce}}">1</script>'

let server: ServedForTests
beforeAll(async () => {
  server = await served({ readConsolePage: async () => built })
  await server.topic('hello', 1)
})
afterAll(() => server.stop())

const tokenOf = async (): Promise<string> =>
  /token" content="([\w-]{24})"/.exec(await (await fetch(server.control, { headers: browser })).text())?.[1] ?? ''

test('a browser gets the page, and everyone else the JSON', async () => {
  const page = await fetch(server.control, { headers: browser })
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(page.headers.get('cache-control')).toBe('no-store')
  for (const accept of ['*/*', 'application/json'])
    expect(await json(fetch(server.control, { headers: { accept } }))).toMatchObject({ name: 'Local Kafka Service' })
})

test('the page may run its own script and ask its own server, and nothing else', async () => {
  const page = await fetch(server.control, { headers: browser })
  const nonce = /<script nonce="([\w-]{24})">/.exec(await page.text())?.[1]
  expect(nonce).toBeDefined()
  const policy = page.headers.get('content-security-policy')
  expect(policy).toContain(`default-src 'none'; script-src 'nonce-${nonce}';`)
  expect(policy).toContain("connect-src 'self'")
  expect(policy).toContain("frame-ancestors 'none'")
  const again = await fetch(server.control, { headers: browser })
  expect(again.headers.get('content-security-policy')).not.toBe(policy)
})

test('without a build the page says how to build it', async () => {
  await using bare = await served()
  const page = await fetch(bare.control, { headers: browser })
  expect(page.status).toBe(200)
  expect(await page.text()).toContain('node scripts/console/build.ts')
})

test('in a browser the data plane and unknown paths lead to the console', async () => {
  const moved = await fetch(server.data, { headers: browser, redirect: 'manual' })
  expect(moved.status).toBe(302)
  expect(moved.headers.get('location')).toBe(`${server.control}/`)
  const lost = await fetch(`${server.control}/nope`, { headers: browser })
  expect(lost.status).toBe(404)
  expect(await lost.text()).toContain('<a href="/">Open the console</a>')
  expect(await json(fetch(`${server.control}/nope`))).toMatchObject({ error: 'NotFoundException' })
})

test('a write of a web page needs the token of the console, on both planes and below /data', async () => {
  const token = await tokenOf()
  const paths = [
    `${server.control}/topics/hello/compact`,
    `${server.data}/topics/hello/produce/0`,
    `${server.control}/data/topics/hello/produce/0`,
  ]
  const origin = 'http://localhost:3000'
  for (const path of paths) {
    const write = (headers: Record<string, string>): Promise<Response> => fetch(path, { method: 'POST', body: '{}', headers })
    for (const headers of [{ origin }, { origin: server.control }, { origin, 'x-lks-page-token': 'x' }]) {
      const rejected = await write(headers)
      expect(rejected.status).toBe(403)
      expect(await json(rejected)).toMatchObject({ error: 'OtherPageException' })
    }
    // The reason of another answer than 403 is the route's own.
    expect((await write({ origin, 'x-lks-page-token': token })).status).not.toBe(403)
    expect((await write({})).status).not.toBe(403)
  }
  expect((await fetch(`${server.control}/topics`, { headers: { origin } })).status).toBe(200)
})

test('the token of one server is not that of another', async () => {
  await using other = await served({ readConsolePage: async () => built })
  const token = await tokenOf()
  const response = await fetch(`${other.control}/topics`, {
    method: 'POST',
    body: '{}',
    headers: { origin: other.control, 'x-lks-page-token': token },
  })
  expect(response.status).toBe(403)
})

test('the control plane has the data plane below /data, and its links stay there', async () => {
  for (const value of ['a', 'b']) await fetch(`${server.control}/data/topics/hello/produce/0`, { method: 'POST', body: value })
  const page = await fetch(`${server.control}/data/topics/hello/messages/0?limit=1`)
  expect(page.headers.get('link')).toBe('</data/topics/hello/messages/0?limit=1&offset=1>; rel="next"')
  expect((await fetch(`${server.control}/database`)).status).toBe(404)
})
