// Which errors of a file system are damage, and which an outage.
import { expect, test } from 'vitest'
import { readError } from './file-errors.ts'

const failed = (code: string): Error => Object.assign(new Error(`${code}: failed`), { code })

test.each([
  ['EIO', 'corrupt'],
  ['ENXIO', 'corrupt'],
  ['ENOENT', 'missing'],
  ['EMFILE', 'unavailable'],
  ['ESTALE', 'unavailable'],
  ['ENOSPC', 'full'],
  ['EROFS', 'denied'],
  ['EACCES', 'denied'],
  ['ETIMEDOUT', 'timeout'],
])('a read that fails with %s is %s', (code, kind) => {
  const cause = failed(code)
  expect(readError(cause, 'read a', () => true)).toMatchObject({ kind, applied: 'no', message: `read a: ${code}: failed`, cause })
})

test.each(['EIO', 'ENXIO', 'ENOENT'])('after %s nothing is lost if the folder has vanished as well: the disk is away', (code) => {
  expect(readError(failed(code), 'read a', () => false)).toMatchObject({ kind: 'unavailable', applied: 'no' })
})
