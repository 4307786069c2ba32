// The guarantees of a directory on real files: full disks, torn files, names that lead elsewhere, and folders that come and go.
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bytes, failure, listed, patterned, text } from '../object-store.contract.ts'
import { ObjectStoreError } from '../object-store.ts'
import { DirectoryObjects } from './directory.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lks-directory-'))
})
afterEach(() => rm(root, { recursive: true }))

const modes = ['os', 'strict'] as const

test.runIf(process.platform === 'linux').each(modes)('full disks are reported, for small and large objects: %s', async (durability) => {
  const store = new DirectoryObjects(root, { durability })
  // Every write to this device fails as on a full disk.
  for (const key of ['small', 'large']) await symlink('/dev/full', join(root, key))
  expect(await failure(store.put('small', [bytes('x')]))).toMatchObject({ kind: 'full', applied: 'unknown' })
  expect(await failure(store.put('large', [patterned(1_000_000)]))).toMatchObject({ kind: 'full', applied: 'unknown' })
})

test.each(modes)('a torn file is only an orphan: listed, removable, and completed by repeating the put: %s', async (durability) => {
  const store = new DirectoryObjects(root, { durability })
  const body = patterned(200_000)
  await mkdir(join(root, 'a'))
  await writeFile(join(root, 'a/torn'), body.subarray(0, 70_000))
  await writeFile(join(root, 'a/orphan'), body.subarray(0, 5))
  expect(await failure(store.read('a/torn', { start: 60_000, length: 20_000 }))).toMatchObject({ kind: 'corrupt' })
  await store.put('a/torn', [body])
  expect(Buffer.compare(await store.read('a/torn'), body)).toBe(0)
  expect(new Map(await listed(store, ''))).toEqual(
    new Map([
      ['a/orphan', 5],
      ['a/torn', 200_000],
    ]),
  )
  await store.remove(['a/orphan'])
  expect(await listed(store, 'a/o')).toEqual([])
})

test('objects are files under their keys', async () => {
  const store = new DirectoryObjects(root, { durability: 'os' })
  await store.put('a/b/c', [bytes('one '), bytes('two')])
  expect(await readFile(join(root, 'a/b/c'), 'utf8')).toBe('one two')
})

test('no key leads out of the directory', async () => {
  const inside = join(root, 'inside')
  const store = new DirectoryObjects(inside, { durability: 'os' })
  await writeFile(join(root, 'secret'), 'not yours')
  for (const key of ['../secret', 'a/../../secret', '/etc/passwd', '..', '.', '..\\secret', 'a/./b', 'a\0b']) {
    expect(await failure(store.put(key, [bytes('x')])), key).toMatchObject({ kind: 'invalid', applied: 'no' })
    expect(await failure(store.putIfAbsent(key, [bytes('x')])), key).toMatchObject({ kind: 'invalid', applied: 'no' })
    expect(await failure(store.read(key)), key).toMatchObject({ kind: 'invalid' })
    expect(await failure(store.remove([key])), key).toMatchObject({ kind: 'invalid' })
  }
  expect(await failure(listed(store, '../'))).toMatchObject({ kind: 'invalid' })
  expect(await readFile(join(root, 'secret'), 'utf8')).toBe('not yours')
  expect(await readdir(root)).toEqual(['inside', 'secret'])
})

test.each(modes)(
  'an object that is being created is not listed, and its remains after a crash never become an object: %s',
  async (durability) => {
    const store = new DirectoryObjects(root, { durability })
    await writeFile(join(root, `cluster.json~${process.pid}~1`), 'half of')
    expect(await listed(store, '')).toEqual([])
    expect(await store.putIfAbsent('cluster.json', [bytes('whole')])).toBe('created')
    expect(text(await store.read('cluster.json'))).toBe('whole')
    expect(await listed(store, '')).toEqual([['cluster.json', 5]])
  },
)

test.each(modes)('concurrent puts and removals of neighbours lose nothing, although empty folders are removed: %s', async (durability) => {
  const store = new DirectoryObjects(root, { durability })
  const kept: string[] = []
  const work = Array.from({ length: 40 }, async (_, index) => {
    const key = `f/${index % 3}/${index}`
    await store.put(key, [bytes(key)])
    if (index % 2 === 0) await store.remove([key])
    else kept.push(key)
  })
  await Promise.all(work)
  expect((await listed(store, '')).map(([key]) => key).toSorted()).toEqual(kept.toSorted())
  await store.remove(kept)
  expect(await readdir(root), 'an emptied store leaves no folders').toEqual([])
})

test('a file where a folder must be is reported, and stays', async () => {
  const store = new DirectoryObjects(root, { durability: 'os' })
  await store.put('a', [bytes('x')])
  expect(await failure(store.put('a/b', [bytes('y')]))).toMatchObject({
    kind: 'invalid',
    applied: 'no',
    message: expect.stringContaining('folder'),
  })
  expect(() => new DirectoryObjects(join(root, 'a/b'), { durability: 'os' })).toThrow(ObjectStoreError)
})

test('a removed folder is created again', async () => {
  const store = new DirectoryObjects(root, { durability: 'strict' })
  await store.put('a/b/1', [bytes('x')])
  await rm(join(root, 'a'), { recursive: true })
  await store.put('a/b/2', [bytes('y')])
  expect(await listed(store, '')).toEqual([['a/b/2', 1]])
})
