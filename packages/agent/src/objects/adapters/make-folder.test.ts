// Folders are created with their parents, or the error says why not.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DirectoryObjects } from './directory.ts'
import { makeFolder } from './make-folder.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lks-folder-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('N8: returns the topmost folder that it created, and nothing if all exist', () => {
  const deep = join(folder, 'a', 'b', 'c')
  expect(makeFolder(deep)).toBe(join(folder, 'a'))
  expect(existsSync(deep)).toBe(true)
  expect(makeFolder(deep)).toBeUndefined()
  mkdirSync(join(folder, 'd'))
  expect(makeFolder(join(folder, 'd', 'e'))).toBe(join(folder, 'd', 'e'))
  expect(makeFolder('/')).toBeUndefined()
})

test('N8: a file in the way is an error', () => {
  writeFileSync(join(folder, 'file'), '')
  expect(() => makeFolder(join(folder, 'file'))).toThrow(expect.objectContaining({ code: 'EEXIST' }))
  expect(() => makeFolder(join(folder, 'file', 'below'))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }))
})

test.skipIf(process.platform !== 'linux').each(['/proc/x', '/proc/x/y/z'])('N8: %s is an error, not a loop', (path) => {
  expect(() => makeFolder(path)).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  expect(() => new DirectoryObjects(path, { durability: 'os' })).toThrow(/ENOENT/)
})
