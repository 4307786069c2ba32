// S3 when servers and networks fail: the kind of each failure, whether the request may still land, and that no answer is ever short.
import { createServer } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { ManualClock, steadyRandom } from '../../time/testing/manual-clock.ts'
import { claimPrefix } from '../cluster-file.ts'
import { bytes, failure, listed, patterned, text } from '../object-store.contract.ts'
import { type S3Fault, type S3Request, type S3Server, type S3ServerOptions, startS3Server } from '../testing/s3-server.ts'
import { RetryingObjects } from '../wrappers/retrying.ts'
import { openS3, type S3Objects, type S3Options } from './s3.ts'

const opened: AsyncDisposable[] = []
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]()
})

async function onServer(serverOptions: S3ServerOptions, options: Partial<S3Options> = {}): Promise<{ server: S3Server; store: S3Objects }> {
  const server = await startS3Server(serverOptions)
  const { endpoint, bucket, credentials } = server
  const store = await openS3({ endpoint, bucket, credentials, prefix: 'some/prefix', ...options })
  opened.push(server, { [Symbol.asyncDispose]: () => store.close() })
  return { server, store }
}

/** Only the first request of a method gets the fault. */
function once(method: string, fault: S3Fault): (request: S3Request) => S3Fault | undefined {
  let met = false
  return (request) => {
    if (met || request.method !== method) return undefined
    met = true
    return fault
  }
}

function gate(): { readonly until: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { until: promise, open: resolve }
}

test('503 SlowDown is throttled: a read has no effect, a put may have been applied', async () => {
  const { store } = await onServer({ fault: () => ({ kind: 'answer', status: 503, code: 'SlowDown', when: 'before' }) })
  expect(await failure(store.put('k', [bytes('x')]))).toMatchObject({ kind: 'throttled', applied: 'unknown' })
  expect(await failure(store.read('k'))).toMatchObject({ kind: 'throttled', applied: 'no' })
  expect(await failure(listed(store, ''))).toMatchObject({ kind: 'throttled', applied: 'no' })
  expect(await failure(store.remove(['k']))).toMatchObject({ kind: 'throttled', applied: 'unknown' })
})

test('a put whose answer is lost may have been applied', async () => {
  for (const fault of [
    { kind: 'hang up', when: 'after' },
    { kind: 'answer', status: 500, code: 'InternalError', when: 'after' },
  ] as const) {
    const { server, store } = await onServer({ fault: once('PUT', fault) })
    expect(await failure(store.put('k', [bytes('x')]))).toMatchObject({ kind: 'unavailable', applied: 'unknown' })
    expect([...server.objects.keys()]).toEqual(['some/prefix/k'])
  }
})

test('a connection that ends inside the answer fails the read, for whole objects and ranges; the next one is whole', async () => {
  for (const range of [undefined, { start: 5, length: 90_000 }]) {
    const { store } = await onServer({ fault: once('GET', { kind: 'cut', afterBytes: 40_000 }) })
    const body = patterned(100_000)
    await store.put('k', [body])
    expect(await failure(store.read('k', range))).toMatchObject({ kind: 'unavailable', applied: 'no' })
    const wanted = range === undefined ? body : body.subarray(5, 90_005)
    expect(Buffer.compare(await store.read('k', range), wanted)).toBe(0)
  }
})

test('an answer shorter than the requested range is corrupt, even if the server calls it complete', async () => {
  const { store } = await onServer({ fault: once('GET', { kind: 'short', bytes: 3 }) })
  await store.put('k', [bytes('0123456789')])
  expect(await failure(store.read('k', { start: 2, length: 5 }))).toMatchObject({ kind: 'corrupt', applied: 'no' })
  expect(text(await store.read('k', { start: 2, length: 5 }))).toBe('23456')
})

test('a put that timed out may land later, and then it is the object', async () => {
  const held = gate()
  const { server, store } = await onServer({ fault: once('PUT', { kind: 'wait', until: held.until }) }, { requestTimeoutMs: 250 })
  expect(await failure(store.put('k', [bytes('late')]))).toMatchObject({ kind: 'timeout', applied: 'unknown' })
  expect(server.objects.size).toBe(0)
  held.open()
  await vi.waitUntil(() => server.objects.size === 1)
  expect(text(await store.read('k'))).toBe('late')
})

test('an answer that stops in the middle is a timeout, not an endless wait', async () => {
  const held = gate()
  const { store } = await onServer(
    { fault: once('GET', { kind: 'stall', afterBytes: 1000, until: held.until }) },
    { requestTimeoutMs: 250 },
  )
  await store.put('k', [patterned(100_000)])
  expect(await failure(store.read('k'))).toMatchObject({ kind: 'timeout', applied: 'no' })
  held.open()
})

test('a caller that aborts is released at once, before the answer and in the middle of it', async () => {
  const held = gate()
  const faults: Readonly<Record<string, S3Fault>> = {
    PUT: { kind: 'wait', until: held.until },
    GET: { kind: 'stall', afterBytes: 1000, until: held.until },
  }
  let holding = false
  const { server, store } = await onServer({ fault: ({ method }) => (holding ? faults[method] : undefined) })
  await store.put('k', [patterned(100_000)])
  holding = true
  const seen = server.requests.length
  const give = new AbortController()
  const put = failure(store.put('k', [patterned(100_000)], give.signal))
  const read = failure(store.read('k', undefined, give.signal))
  await vi.waitUntil(() => server.requests.length === seen + 2)
  give.abort()
  expect(await put).toMatchObject({ kind: 'aborted', applied: 'unknown' })
  expect(await read).toMatchObject({ kind: 'aborted', applied: 'no' })
  held.open()
})

test('at the start the error names the cause: the secret, the key, the bucket, or an endpoint without a server', async () => {
  const { server, store } = await onServer({})
  await store.checkBucket()
  const { endpoint, bucket, credentials } = server
  const check = async (options: Partial<S3Options>): Promise<unknown> => {
    const other = await openS3({ endpoint, bucket, credentials, prefix: '', ...options })
    opened.push({ [Symbol.asyncDispose]: () => other.close() })
    return await failure(other.checkBucket())
  }
  expect(await check({ credentials: { ...credentials, secretAccessKey: 'wrong' } })).toMatchObject({ kind: 'denied', applied: 'no' })
  expect(await check({ credentials: { ...credentials, accessKeyId: 'nobody' } })).toMatchObject({ kind: 'denied', applied: 'no' })
  expect(await check({ bucket: 'another' })).toMatchObject({
    kind: 'invalid',
    applied: 'no',
    message: expect.stringContaining('no such bucket'),
  })
  expect(await check({ endpoint: await unusedAddress() })).toMatchObject({ kind: 'unavailable', applied: 'no' })
})

test('a request that never reached a server was not applied', async () => {
  const { store } = await onServer({}, { endpoint: await unusedAddress() })
  expect(await failure(store.put('k', [bytes('x')]))).toMatchObject({ kind: 'unavailable', applied: 'no' })
})

test('endpoint and credentials come from the places of the AWS tools, paths carry the bucket, and the region is us-east-1', async () => {
  const server = await startS3Server()
  opened.push(server)
  vi.stubEnv('AWS_ENDPOINT_URL_S3', server.endpoint)
  vi.stubEnv('AWS_ACCESS_KEY_ID', server.credentials.accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', server.credentials.secretAccessKey)
  vi.stubEnv('AWS_REGION', undefined)
  vi.stubEnv('AWS_CONFIG_FILE', '/dev/null')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null')
  const store = await openS3({ bucket: server.bucket, prefix: '' })
  await store.put('a/key', [bytes('x')])
  expect([...server.objects.keys()]).toEqual(['a/key'])
  expect(server.requests[0]?.headers.host).toBe(new URL(server.endpoint).host)
  expect(server.requests[0]?.headers.authorization).toContain('/us-east-1/s3/aws4_request')
  await store.close()
})

test('objects are sent without checksum headers, which older servers reject', async () => {
  const { server, store } = await onServer({})
  await store.put('k', [bytes('x')])
  await store.read('k')
  expect(server.requests.map(({ method }) => method)).toEqual(['PUT', 'GET'])
  for (const { headers } of server.requests) expect(Object.keys(headers).filter((name) => name.includes('checksum'))).toEqual([])
})

test('a server without conditional writes is asked only once', async () => {
  const { server, store } = await onServer({ conditionalWrites: 'refused' })
  expect(await store.putIfAbsent('k', [bytes('x')])).toBe('unsupported')
  expect(await store.putIfAbsent('k', [bytes('x')])).toBe('unsupported')
  expect(server.requests).toHaveLength(1)
  expect(server.objects.size).toBe(0)
})

test('where a server ignores the condition, a later claim of a used prefix is still rejected', async () => {
  const { store } = await onServer({ conditionalWrites: 'ignored' })
  const [one, other] = ['0b3c1f7e-8f6a-4c55-9d0e-1a2b3c4d5e6f', 'ffffffff-8f6a-4c55-9d0e-1a2b3c4d5e6f']
  expect(await claimPrefix(store, { clusterId: one, createdAtMs: 1 })).toMatchObject({ kind: 'ours' })
  expect(await claimPrefix(store, { clusterId: other, createdAtMs: 1 })).toMatchObject({ kind: 'another cluster' })
})

test('2,500 keys are removed with three requests; a key that cannot be removed gets its error, and the others are removed', async () => {
  const { server, store } = await onServer({ undeletable: (key) => (key.endsWith('/k/7') ? 'AccessDenied' : undefined) })
  const keys = Array.from({ length: 2_500 }, (_, index) => `k/${index}`)
  await Promise.all(keys.slice(0, 10).map((key) => store.put(key, [bytes(key)])))
  const results = await store.remove(keys)
  expect(results.map(({ key }) => key)).toEqual(keys)
  expect(results.filter(({ error }) => error !== undefined)).toMatchObject([{ key: 'k/7', error: { kind: 'denied' } }])
  expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(3)
  expect([...server.objects.keys()]).toEqual(['some/prefix/k/7'])
})

test('without bulk delete each key is removed by its own request, with its own answer', async () => {
  const { server, store } = await onServer({
    bulkDelete: 'refused',
    undeletable: (key) => (key.endsWith('/b') ? 'AccessDenied' : undefined),
  })
  await Promise.all(['a', 'b', 'c'].map((key) => store.put(key, [bytes(key)])))
  for (const time of [1, 2])
    expect(await store.remove(['a', 'b', 'c']), `${time}`).toMatchObject([
      { key: 'a' },
      { key: 'b', error: { kind: 'denied' } },
      { key: 'c' },
    ])
  expect(
    server.requests.filter(({ method }) => method === 'POST'),
    'bulk delete is tried once',
  ).toHaveLength(1)
  expect([...server.objects.keys()]).toEqual(['some/prefix/b'])
})

test('a list shows only valid keys under the prefix', async () => {
  const { server, store } = await onServer({})
  const neighbour = await openS3({ ...server, prefix: '' })
  await Promise.all(['some/prefix2/x', 'other', 'some/prefix/mine'].map((key) => neighbour.put(key, [bytes('x')])))
  ;(server.objects as Map<string, Buffer>).set('some/prefix/a folder mark/', Buffer.alloc(0))
  expect(await listed(store, '')).toEqual([['mine', 1]])
  await neighbour.close()
})

test('a put that is retried through faults leaves the object once with its bytes', async () => {
  const faults: S3Fault[] = [
    { kind: 'answer', status: 503, code: 'SlowDown', when: 'before' },
    { kind: 'hang up', when: 'before' },
    { kind: 'hang up', when: 'after' },
    { kind: 'answer', status: 500, code: 'InternalError', when: 'after' },
  ]
  const { server, store } = await onServer({ fault: ({ method }) => (method === 'PUT' ? faults.shift() : undefined) })
  const clock = new ManualClock()
  const policy = { deadlineMs: 60_000, attemptMs: 10_000, firstPauseMs: 0, maxPauseMs: 0 }
  const retrying = new RetryingObjects(store, { clock, random: steadyRandom() }, policy)
  let done = false
  const put = retrying.put('k', [bytes('the '), bytes('bytes')]).finally(() => {
    done = true
  })
  // Ends the pauses, which are due at once, but no time-out.
  await vi.waitUntil(() => clock.advance(0).then(() => done), { interval: 1 })
  await put
  expect(text(await retrying.read('k'))).toBe('the bytes')
  expect(server.requests.filter(({ method }) => method === 'PUT')).toHaveLength(5)
})

async function unusedAddress(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}
