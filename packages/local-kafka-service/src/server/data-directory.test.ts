// Which server may use a data directory.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, uptime } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { dataDirectoryVersion, takeDataDirectory } from './data-directory.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lks-data-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('it is created if missing, and only one server has it at a time', () => {
  const path = join(folder, 'a', 'b')
  const first = takeDataDirectory(path)
  expect(() => takeDataDirectory(path)).toThrow(expect.objectContaining({ code: 'LKS-1101' }))
  first.release()
  takeDataDirectory(path).release()
})

test('a directory with a newer layout is not changed', () => {
  takeDataDirectory(folder).release()
  const database = new DatabaseSync(join(folder, 'lock.db'))
  database.exec(`PRAGMA user_version = ${dataDirectoryVersion + 1}`)
  database.close()
  expect(() => takeDataDirectory(folder)).toThrow(expect.objectContaining({ code: 'LKS-1102' }))
  // Rejected again: the first rejection did not take the lock.
  expect(() => takeDataDirectory(folder)).toThrow(expect.objectContaining({ code: 'LKS-1102' }))
})

test('a directory of an earlier version is used, and is of this version from then on', () => {
  takeDataDirectory(folder).release()
  const edit = (): DatabaseSync => new DatabaseSync(join(folder, 'lock.db'))
  const older = edit()
  older.exec('PRAGMA user_version = 1')
  older.close()
  takeDataDirectory(folder).release()
  const now = edit()
  expect(now.prepare('PRAGMA user_version').get()).toEqual({ user_version: dataDirectoryVersion })
  now.close()
})

test('a file in place of the directory, and an invalid lock file, are reported', () => {
  const file = join(folder, 'file')
  writeFileSync(file, '')
  expect(() => takeDataDirectory(file)).toThrow(expect.objectContaining({ code: 'LKS-1103' }))
  writeFileSync(join(folder, 'lock.db'), 'not SQLite, but long enough to be looked at as a header of one hundred bytes'.repeat(3))
  expect(() => takeDataDirectory(folder)).toThrow(
    expect.objectContaining({ code: 'LKS-1103', why: expect.stringContaining('not an SQLite database') }),
  )
})

test('the machine counts as rebooted unless the mark is of the current boot', () => {
  const rebooted = (): boolean => {
    const directory = takeDataDirectory(folder)
    directory.release()
    return directory.rebooted
  }
  expect(rebooted()).toBe(true)
  expect(rebooted()).toBe(true)
  const directory = takeDataDirectory(folder)
  directory.recovered()
  directory.release()
  expect(rebooted()).toBe(false)
  const mark = join(folder, 'boot')
  const own = readFileSync(mark, 'latin1')
  const bootedAtMs = Math.round(Date.now() - uptime() * 1000)
  for (const other of ['', '\0\0\0\0', own.slice(0, -1), 'id 00000000-0000-4000-8000-000000000000', 'at 1', `at ${bootedAtMs - 60_000}`]) {
    writeFileSync(mark, other)
    expect(rebooted(), other).toBe(true)
  }
  // Compares the time of the boot if it has no id: the clock may have been adjusted a little.
  for (const same of [own, `at ${bootedAtMs + 5_000}`]) {
    writeFileSync(mark, same)
    expect(rebooted(), same).toBe(false)
  }
})

test('N15: a start that fails before it stores anything leaves nothing behind, and removes only what it created', () => {
  const taken = takeDataDirectory(join(folder, 'a', 'b'))
  taken.release()
  expect(readdirSync(folder)).toEqual([])
  takeDataDirectory(folder).release()
  expect(readdirSync(folder)).toEqual(['lock.db'])
})

test('N15: stored data stays, and Git ignores it', () => {
  const path = join(folder, '.lks')
  const used = takeDataDirectory(path)
  used.used()
  used.release()
  expect(readFileSync(join(path, '.gitignore'), 'utf8')).toBe('*\n')
  writeFileSync(join(path, '.gitignore'), 'objects\n')
  const again = takeDataDirectory(path)
  again.used()
  again.release()
  expect(readFileSync(join(path, '.gitignore'), 'utf8')).toBe('objects\n')
})

test('N15: a folder with other content, such as a project, gets no .gitignore', () => {
  writeFileSync(join(folder, 'package.json'), '{}')
  const used = takeDataDirectory(folder)
  used.used()
  used.release()
  expect(readdirSync(folder).toSorted()).toEqual(['lock.db', 'package.json'])
})

test.skipIf(process.platform !== 'linux').each(['/proc/x', '/proc/x/y', '/proc/self/x'])(
  'N8: %s cannot be created, and the error comes at once',
  (path) => {
    expect(() => takeDataDirectory(path)).toThrow(expect.objectContaining({ code: 'LKS-1103', why: expect.stringContaining('ENOENT') }))
  },
)
