// The console's types of the HTTP API.
import { expect, test } from 'vitest'
import { apiTypes } from './api-types.ts'

test('an operation has its path, the types of what it takes, and that of its answer', () => {
  const text = apiTypes(
    JSON.stringify({
      paths: {
        '/things/{thing}': {
          servers: [{ description: 'Data plane' }],
          get: {
            operationId: 'showThing',
            summary: 'Show a thing',
            parameters: [
              { name: 'thing', in: 'path', required: true, schema: { type: 'string' } },
              { name: 'order', in: 'query', schema: { type: 'string', enum: ['asc', 'desc'] } },
            ],
            responses: {
              200: {
                content: {
                  'application/json': {
                    schema: {
                      type: 'object',
                      required: ['list'],
                      properties: {
                        list: { type: 'array', items: { type: ['integer', 'null'] } },
                        map: { type: 'object', additionalProperties: { type: 'string' } },
                      },
                    },
                  },
                },
              },
            },
          },
        },
      },
      components: { schemas: { Problem: { type: 'object', properties: { error: { type: 'string' } } } } },
    }),
  )
  expect(text).toContain("showThing: { method: 'GET', path: '/things/{thing}', plane: 'data' },")
  expect(text).toContain('readonly thing: string')
  expect(text).toContain("readonly order?: 'asc' | 'desc'")
  expect(text).toContain('readonly list: readonly (number | null)[]')
  expect(text).toContain('readonly map?: Readonly<Record<string, string>>')
})
