// Every page and example that travels with the package exists, and has no broken link.
import { existsSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { expect, test } from 'vitest'
import { travelled, travelling } from './bundle/travelling.ts'

const root = join(import.meta.dirname, '..')

test.each(travelling)('N16: %s travels, and its links lead to files that travel, too', (path) => {
  expect(existsSync(join(root, path))).toBe(true)
  const text = travelled(path, readFileSync(join(root, path), 'utf8'))
  expect(text).not.toContain('lks-source')
  for (const [, to = ''] of path.endsWith('.md') ? text.matchAll(/\]\(([^)#\s]+)/g) : [])
    if (!/^[a-z]+:/.test(to)) expect(travelling).toContain(posix.join(posix.dirname(path), to))
})

test('N16: a link to a file that does not travel becomes plain text', () => {
  const text = '[the glossary](../glossary.md), [tests](in-a-test.md#vitest), [Kafka](https://kafka.apache.org)'
  expect(travelled('docs/guides/faults.md', text)).toBe('the glossary, [tests](in-a-test.md#vitest), [Kafka](https://kafka.apache.org)')
})

test('N16: the README of the package names only pages and examples that travel', () => {
  const readme = readFileSync(join(root, 'packages/local-kafka-service/README.md'), 'utf8')
  const named = [...readme.matchAll(/\]\((dist\/[^)#\s]+)/g)].map(([, to = '']) => to.replace('dist/', ''))
  expect(named.length).toBeGreaterThanOrEqual(7)
  for (const path of named) expect(travelling).toContain(path)
})
