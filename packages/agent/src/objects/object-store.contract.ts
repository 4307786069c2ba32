// The contract of every FileStorage Service and of every wrapper. A test file calls it once per implementation.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { claimPrefix, clusterFileKey, readClusterFile } from './cluster-file.ts'
import { type ObjectStore, ObjectStoreError } from './object-store.ts'

/** A store on an empty prefix of its own. */
export interface ContractStore {
  readonly store: ObjectStore
  /** It refers to a body that was put, and holds its memory (a cache). */
  readonly keepsBodies?: true
  /** Frees the store's resources, after the store is closed. */
  dispose?(): Promise<void>
}

export function objectStoreContract(name: string, open: () => Promise<ContractStore>): void {
  describe(`the contract of an object store: ${name}`, () => {
    let opened: ContractStore
    let store: ObjectStore
    beforeEach(async () => {
      opened = await open()
      store = opened.store
    })
    afterEach(async () => {
      await store.close()
      await opened.dispose?.()
    })

    test('an object is read back with its chunks in order', async () => {
      await store.put('a/b/1', [bytes('one '), bytes(''), bytes('two')])
      expect(text(await store.read('a/b/1'))).toBe('one two')
    })

    test('the memory of a body may be overwritten once its put has settled, also when it was aborted', async () => {
      if (opened.keepsBodies === true) return
      const abort = new AbortController()
      const chunks = Array.from({ length: 40 }, (_, index) => patterned(10_000, index))
      const content = Buffer.concat(chunks)
      await store.put('kept', chunks)
      for (const chunk of chunks) chunk.fill(0xdb)
      expect(content.equals(await store.read('kept'))).toBe(true)

      const others = Array.from({ length: 40 }, (_, index) => patterned(10_000, index))
      const put = store.put('aborted', others, abort.signal).catch((error: unknown) => error)
      abort.abort()
      await put
      for (const chunk of others) chunk.fill(0xdb)
      // A directory may have a torn file, which nothing refers to.
      const there = await store.read('aborted').catch((error: unknown) => error)
      if (there instanceof Uint8Array) expect(content.subarray(0, there.length).equals(there)).toBe(true)
      else expect(there).toMatchObject({ kind: 'missing' })
    })

    test('an empty object is an object', async () => {
      await store.put('empty', [])
      expect(await store.read('empty')).toHaveLength(0)
      expect(await listed(store, '')).toEqual([['empty', 0]])
    })

    test('a large object of many chunks comes back byte for byte', async () => {
      const chunks = Array.from({ length: 3000 }, (_, index) => patterned(1 + ((index * 37) % 1500), index))
      await store.put('large', chunks)
      expect(Buffer.compare(await store.read('large'), Buffer.concat(chunks))).toBe(0)
    })

    test('a range has exactly the requested bytes', async () => {
      await store.put('k', [bytes('0123'), bytes('456789')])
      expect(text(await store.read('k', { start: 0, length: 1 }))).toBe('0')
      expect(text(await store.read('k', { start: 3, length: 3 }))).toBe('345')
      expect(text(await store.read('k', { start: 9, length: 1 }))).toBe('9')
      expect(text(await store.read('k', { start: 0, length: 10 }))).toBe('0123456789')
    })

    test('a range beyond the object is corrupt, never a short answer', async () => {
      await store.put('k', [bytes('0123456789')])
      for (const range of [
        { start: 8, length: 3 },
        { start: 10, length: 1 },
        { start: 500, length: 5 },
      ])
        expect(await failure(store.read('k', range))).toMatchObject({ kind: 'corrupt', applied: 'no' })
    })

    test('a range until the end may be shorter, but not begin beyond it', async () => {
      await store.put('k', [bytes('0123456789')])
      expect(text(await store.read('k', { start: 8, length: 300, untilEnd: true }))).toBe('89')
      expect(text(await store.read('k', { start: 2, length: 3, untilEnd: true }))).toBe('234')
      expect(await failure(store.read('k', { start: 10, length: 3, untilEnd: true }))).toMatchObject({ kind: 'corrupt' })
    })

    test('an object that does not exist is missing, for ranges too', async () => {
      expect(await failure(store.read('nobody/here'))).toMatchObject({ kind: 'missing', applied: 'no' })
      expect(await failure(store.read('nobody/here', { start: 0, length: 1 }))).toMatchObject({ kind: 'missing' })
    })

    test('repeating a put changes nothing', async () => {
      for (let time = 0; time < 3; time += 1) await store.put('again', [bytes('the same')])
      expect(text(await store.read('again'))).toBe('the same')
      expect(await listed(store, '')).toEqual([['again', 8]])
    })

    test('concurrent puts of one key leave one whole object', async () => {
      const body = [patterned(100_000, 7)]
      await Promise.all(Array.from({ length: 5 }, () => store.put('busy/key', body)))
      expect(Buffer.compare(await store.read('busy/key'), body[0] ?? bytes(''))).toBe(0)
    })

    test('a key is relative and cannot leave the prefix', async () => {
      for (const key of [
        '',
        '/a',
        'a/',
        'a//b',
        '..',
        '../a',
        'a/../../b',
        './a',
        'a\\b',
        'a b',
        'a\0b',
        'é',
        'C:/a',
        'x'.repeat(1000),
        'a/~',
      ]) {
        expect(await failure(store.put(key, [bytes('x')])), key).toMatchObject({ kind: 'invalid', applied: 'no' })
        expect(await failure(store.read(key)), key).toMatchObject({ kind: 'invalid' })
        expect(await failure(store.remove([key])), key).toMatchObject({ kind: 'invalid' })
      }
      expect(await failure(listed(store, '../'))).toMatchObject({ kind: 'invalid' })
    })

    test('a removal answers per key in order, and an absent key counts as removed', async () => {
      await store.put('a/1', [bytes('x')])
      await store.put('a/2', [bytes('y')])
      expect(await store.remove(['a/2', 'never/was', 'a/1'])).toEqual([{ key: 'a/2' }, { key: 'never/was' }, { key: 'a/1' }])
      expect(await failure(store.read('a/1'))).toMatchObject({ kind: 'missing' })
      expect(await listed(store, '')).toEqual([])
      expect(await store.remove([])).toEqual([])
    })

    test('a folder accepts puts after its last object was removed', async () => {
      await store.put('f/g/1', [bytes('x')])
      await store.remove(['f/g/1'])
      await store.put('f/g/2', [bytes('y')])
      expect(text(await store.read('f/g/2'))).toBe('y')
    })

    test('a list has every key under the prefix once, also when the prefix ends inside a name', async () => {
      const keys = ['a/b/1', 'a/b/2', 'a/bc', 'b', 'a0/1']
      for (const key of keys) await store.put(key, [bytes(key)])
      const names = async (prefix: string, after?: string): Promise<readonly string[]> =>
        (await listed(store, prefix, after)).map(([key]) => key).toSorted()
      expect(await names('')).toEqual(keys.toSorted())
      expect(await names('a/b')).toEqual(['a/b/1', 'a/b/2', 'a/bc'])
      expect(await names('a/b/')).toEqual(['a/b/1', 'a/b/2'])
      expect(await names('nothing/')).toEqual([])
      expect(await names('a/', 'a/b/1')).toEqual(['a/b/2', 'a/bc'])
      expect(await names('', 'b')).toEqual([])
    })

    test('a list continues over more than one page', async () => {
      const keys = Array.from({ length: 25 }, (_, index) => `p/${String(index).padStart(4, '0')}`)
      await Promise.all(keys.map((key) => store.put(key, [bytes(key)])))
      expect((await listed(store, 'p/')).map(([key]) => key).toSorted()).toEqual(keys)
    })

    test('a request with an aborted signal does not begin', async () => {
      const signal = AbortSignal.abort()
      expect(await failure(store.put('given/up', [bytes('x')], signal))).toMatchObject({ kind: 'aborted', applied: 'no' })
      expect(await failure(store.read('given/up', undefined, signal))).toMatchObject({ kind: 'aborted' })
      expect(await failure(store.remove(['given/up'], signal))).toMatchObject({ kind: 'aborted' })
      expect(await listed(store, '')).toEqual([])
    })

    test('a prefix is claimed by one cluster, which stays its owner', async () => {
      const ours = { clusterId: '0b3c1f7e-8f6a-4c55-9d0e-1a2b3c4d5e6f', createdAtMs: 1_700_000_000_000 }
      const others = { clusterId: 'ffffffff-8f6a-4c55-9d0e-1a2b3c4d5e6f', createdAtMs: 1 }
      expect(await readClusterFile(store)).toBeUndefined()
      expect(await claimPrefix(store, ours)).toMatchObject({ kind: 'ours', file: ours })
      expect(await claimPrefix(store, others)).toMatchObject({ kind: 'another cluster', file: ours })
      expect(await claimPrefix(store, { ...ours, createdAtMs: 2 })).toMatchObject({ kind: 'ours', file: ours })
      expect(await listed(store, '')).toMatchObject([[clusterFileKey, expect.any(Number)]])
    })

    test('when several clients create a key at the same time, exactly one succeeds, if the store supports it', async () => {
      if (store.putIfAbsent === undefined) return
      const create = store.putIfAbsent.bind(store)
      const answers = await Promise.all(Array.from({ length: 5 }, (_, index) => create('once', [bytes(`racer ${index}`)])))
      if (answers.includes('unsupported')) return expect(await listed(store, '')).toEqual([])
      expect(answers.filter((answer) => answer === 'created')).toHaveLength(1)
      expect(text(await store.read('once'))).toBe(`racer ${answers.indexOf('created')}`)
      expect(await create('once', [bytes('too late')])).toBe('exists')
      expect(await listed(store, '')).toEqual([['once', 7]])
    })
  })
}

export function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content)
}

export function text(content: Uint8Array): string {
  return new TextDecoder().decode(content)
}

/** Bytes that depend on their position and on `seed`. */
export function patterned(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 17 + (index >>> 8)) & 0xff)
}

/** The error of a promise that must reject with an ObjectStoreError. */
export async function failure(promise: Promise<unknown>): Promise<ObjectStoreError> {
  const error = await promise.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  )
  if (error instanceof ObjectStoreError) return error
  throw error
}

export async function listed(store: ObjectStore, prefix: string, after?: string): Promise<readonly (readonly [string, number])[]> {
  const objects: (readonly [string, number])[] = []
  for await (const { key, sizeBytes } of store.list(prefix, after === undefined ? {} : { after })) objects.push([key, sizeBytes])
  return objects
}
