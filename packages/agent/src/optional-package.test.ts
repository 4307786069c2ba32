// The presence of a client library, read from its package.json before any of it is loaded.
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { type OptionalPackage, oldestVersions, presenceOf } from './optional-package.ts'

const versioned = (version: string) => () => ({ version })
const names = Object.keys(oldestVersions) as readonly OptionalPackage[]

test.each(names)('%s in its installed version is usable', (name) => {
  expect(presenceOf(name)).toEqual({ kind: 'usable' })
})

test('a package that is not installed is missing', () => {
  const load = (id: string) => createRequire(import.meta.url)(`nobody-has-${id}`) as unknown
  expect(presenceOf('pg', load)).toEqual({ kind: 'missing' })
})

test('an installed package that cannot be read does not count as missing', () => {
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
