// The owner of a prefix: claims that race, or that find another cluster's file, a newer one, or a damaged one.
import { expect, test } from 'vitest'
import { MemoryObjects } from './adapters/memory.ts'
import { type ClusterFile, claimPrefix, clusterFileKey, clusterFormat, readClusterFile } from './cluster-file.ts'
import { bytes, failure, listed, text } from './object-store.contract.ts'
import { type ObjectStore, ObjectStoreError } from './object-store.ts'
import { HookedObjects } from './testing/hooked-objects.ts'

const one = '0b3c1f7e-8f6a-4c55-9d0e-1a2b3c4d5e6f'
const other = 'ffffffff-8f6a-4c55-9d0e-1a2b3c4d5e6f'

function aFile(changes: Partial<ClusterFile> = {}): ClusterFile {
  return { clusterId: one, format: clusterFormat, minimumReader: clusterFormat, createdAtMs: 1, ...changes }
}

async function holding(content: string): Promise<ObjectStore> {
  const store = new MemoryObjects()
  await store.put(clusterFileKey, [bytes(content)])
  return store
}

test('when two clusters claim a prefix at the same time, exactly one gets it, and the other receives the owner', async () => {
  const store = new MemoryObjects()
  const claims = await Promise.all([one, other].map((clusterId) => claimPrefix(store, { clusterId, createdAtMs: 1 })))
  expect(claims.map(({ kind }) => kind).toSorted()).toEqual(['another cluster', 'ours'])
  const winner = claims[0]?.kind === 'ours' ? one : other
  for (const { file } of claims) expect(file.clusterId).toBe(winner)
})

test('two agents of one cluster that start at the same time both have the prefix', async () => {
  const store = new MemoryObjects()
  const claims = await Promise.all([1, 2].map((createdAtMs) => claimPrefix(store, { clusterId: one, createdAtMs })))
  expect(claims).toMatchObject([{ kind: 'ours' }, { kind: 'ours' }])
  expect(claims[0]?.file).toEqual(claims[1]?.file)
})

test('where a store has no conditional writes, the file is written and read back: the last writer has the prefix, and the other receives the owner', async () => {
  const store = new HookedObjects({
    // Another cluster's file lands between our write and our reading back.
    async before({ operation, number }) {
      if (operation !== 'read' || number < 3) return
      await store.bucket.remove([clusterFileKey])
      await store.bucket.put(clusterFileKey, [bytes(JSON.stringify(aFile({ clusterId: other })))])
    },
  })
  expect(await claimPrefix(store, { clusterId: one, createdAtMs: 1 })).toMatchObject({
    kind: 'another cluster',
    file: { clusterId: other },
  })
})

test("a claim whose answer was lost finds its own file, and that is 'ours'", async () => {
  const store = new MemoryObjects()
  const lost: ObjectStore = {
    put: store.put.bind(store),
    putIfAbsent: async (key, body) => {
      await store.put(key, body)
      return 'exists'
    },
    read: store.read.bind(store),
    remove: store.remove.bind(store),
    list: store.list.bind(store),
    close: store.close.bind(store),
  }
  expect(await claimPrefix(lost, { clusterId: one, createdAtMs: 1 })).toMatchObject({ kind: 'ours' })
})

test('the first claim stands: a later one of the same cluster changes nothing', async () => {
  const store = new MemoryObjects()
  await claimPrefix(store, { clusterId: one, createdAtMs: 1 })
  expect(await claimPrefix(store, { clusterId: one, createdAtMs: 2 })).toEqual({ kind: 'ours', file: aFile() })
})

test('a file that needs a newer reader has a kind of its own, also when it is ours; one in a compatible newer format is read', async () => {
  const newer = aFile({ format: clusterFormat + 1, minimumReader: clusterFormat + 1 })
  expect(await claimPrefix(await holding(JSON.stringify(newer)), { clusterId: one, createdAtMs: 2 })).toEqual({
    kind: 'newer format',
    file: newer,
  })
  const readable = aFile({ format: clusterFormat + 1 })
  expect(await claimPrefix(await holding(JSON.stringify(readable)), { clusterId: one, createdAtMs: 2 })).toEqual({
    kind: 'ours',
    file: readable,
  })
})

test('fields that a newer version added are ignored', async () => {
  const store = await holding(JSON.stringify({ ...aFile(), colour: 'green' }))
  expect(await readClusterFile(store)).toEqual(aFile())
})

test.each([
  ['empty', ''],
  ['cut off', JSON.stringify(aFile()).slice(0, 40)],
  ['another JSON', '[]'],
  ['null', 'null'],
  ['without an id', JSON.stringify({ ...aFile(), clusterId: undefined })],
  ['with an id that is not a UUID', JSON.stringify(aFile({ clusterId: '../other' }))],
  ['with a format that is not a number', JSON.stringify({ ...aFile(), format: '1' })],
])('a cluster file that is %s stops every claim, and is left as it is', async (_, content) => {
  const store = await holding(content)
  expect(await failure(readClusterFile(store))).toMatchObject({ kind: 'corrupt' })
  expect(await failure(claimPrefix(store, { clusterId: one, createdAtMs: 1 }))).toMatchObject({ kind: 'corrupt' })
  expect(await listed(store, '')).toEqual([[clusterFileKey, content.length]])
})

test('a store that cannot be read does not count as an empty prefix: nothing is written', async () => {
  const store = new HookedObjects({
    before() {
      throw new ObjectStoreError('denied', 'no', 'wrong credentials')
    },
  })
  expect(await failure(claimPrefix(store, { clusterId: one, createdAtMs: 1 }))).toMatchObject({ kind: 'denied' })
  expect(store.requests.map(({ operation }) => operation)).toEqual(['read'])
})

test('the file is the line in docs/object-format.md', async () => {
  const store = new MemoryObjects()
  await claimPrefix(store, { clusterId: one, createdAtMs: 1_700_000_000_000 })
  expect(text(await store.read(clusterFileKey))).toBe(
    '{"clusterId":"0b3c1f7e-8f6a-4c55-9d0e-1a2b3c4d5e6f","format":1,"minimumReader":1,"createdAtMs":1700000000000}\n',
  )
})
