// The OpenAPI description matches the committed file.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { OpenApi } from './openapi-document.ts'
import { json } from './testing/json.ts'
import { served } from './testing/served.ts'

test('the committed description matches the routes', async () => {
  await using server = await served()
  const text = await (await fetch(`${server.control}/openapi.json`)).text()
  const description = JSON.parse(text.replaceAll(server.control, 'http://127.0.0.1:8000').replaceAll(server.data, 'http://127.0.0.1:8123'))
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const committed = { ...description, info: { ...description.info, version } }
  await expect(`${JSON.stringify(committed, undefined, 2)}\n`).toMatchFileSnapshot('../../../docs/reference/openapi.json')
})

test('every operation has a unique id, a summary, and a description of each answer', async () => {
  await using server = await served()
  const { paths } = await json<Pick<OpenApi, 'paths'>>(fetch(`${server.data}/openapi.json`))
  const operations = Object.values(paths).flatMap((item) =>
    Object.entries(item).flatMap(([method, operation]) => (method === 'servers' ? [] : [operation as Operation])),
  )
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
  for (const { summary, responses } of operations) {
    expect(summary).toBeTruthy()
    expect(Object.values(responses).every(({ description }) => description !== 'Default Response')).toBe(true)
  }
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining([
      '/topics',
      '/topics/{topic}',
      '/topics/{topic}/produce/{partition}',
      '/topics/{topic}/messages/{partition}',
      '/topics/{topic}/messages',
    ]),
  )
})

test('the page has no scripts and no external resources', async () => {
  await using server = await served()
  const page = await (await fetch(`${server.control}/docs`)).text()
  expect(page).not.toMatch(/<script|<link|<img|src=|@import|url\(/)
})

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly responses: Readonly<Record<string, { readonly description: string }>>
}
