// Whether a client library is there: told from its package.json, before anything of it is loaded.
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { type OptionalPackage, oldestVersions, presenceOf } from './optional-package.ts'

const versioned = (version: string) => () => ({ version })
const names = Object.keys(oldestVersions) as readonly OptionalPackage[]

test.each(names)('%s, as it is installed here, is usable', (name) => {
  expect(presenceOf(name)).toEqual({ kind: 'usable' })
})

test('a package that nobody installed is missing', () => {
  const load = (id: string) => createRequire(import.meta.url)(`nobody-has-${id}`) as unknown
  expect(presenceOf('pg', load)).toEqual({ kind: 'missing' })
})

test('one that is there and cannot be read is no missing one', () => {
  expect(() =>
    presenceOf('pg', () => {
      throw new SyntaxError('not JSON')
    }),
  ).toThrow('not JSON')
})

test.each([
  ['8.23.1', 'usable'],
  ['8.23.0', 'too old'],
  ['8.9.9', 'too old'],
  ['8.24.0', 'usable'],
  ['9.0.0', 'usable'],
  ['7.99.99', 'too old'],
  ['8.23.1-beta.1', 'usable'],
])('pg %s is %s', (version, kind) => {
  expect(presenceOf('pg', versioned(version))).toMatchObject({ kind })
})
