// The contract of an object store against somebody else's S3 server, the one that LKS_TEST_S3 names.
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { openS3, type S3Options } from '../../packages/agent/src/objects/adapters/s3.ts'
import { failure, listed, objectStoreContract } from '../../packages/agent/src/objects/object-store.contract.ts'

/** `http://ACCESS:SECRET@HOST:PORT/BUCKET/PREFIX` */
const server = process.env.LKS_TEST_S3

if (server === undefined || server === '') {
  test.skipIf(process.env.CI !== 'true')('the contract of an object store: an S3 server of others, named by LKS_TEST_S3', () => {
    expect.fail('LKS_TEST_S3 is not set: http://ACCESS:SECRET@HOST:PORT/BUCKET/PREFIX')
  })
} else {
  const options = parse(server)
  objectStoreContract('an S3 server of others', async () => {
    const store = await openS3({ ...options, prefix: `${options.prefix}/${randomUUID()}` })
    await store.checkBucket()
    return { store }
  })

  describe('what start-up tells of an S3 server of others', () => {
    test('wrong secret: denied', async () => {
      const { accessKeyId } = options.credentials
      await expectCheck({ ...options, credentials: { accessKeyId, secretAccessKey: 'not the secret' } }, 'denied')
    })

    test('unknown access key: denied', async () => {
      await expectCheck({ ...options, credentials: { accessKeyId: 'nobody', secretAccessKey: 'nothing' } }, 'denied')
    })

    test('no such bucket: invalid', async () => {
      await expectCheck({ ...options, bucket: `no-bucket-${randomUUID()}` }, 'invalid')
    })

    test('more keys than one bulk delete takes are removed, and listed over several pages', async () => {
      const store = await openS3({ ...options, prefix: `${options.prefix}/${randomUUID()}` })
      const keys = Array.from({ length: 1_100 }, (_, index) => `many/${String(index).padStart(5, '0')}`)
      for (let at = 0; at < keys.length; at += 50)
        await Promise.all(keys.slice(at, at + 50).map((key) => store.put(key, [new Uint8Array(1)])))
      expect((await listed(store, 'many/')).map(([key]) => key).toSorted()).toEqual(keys)
      expect(await store.remove(keys)).toEqual(keys.map((key) => ({ key })))
      expect(await listed(store, 'many/')).toEqual([])
      await store.close()
    })
  })
}

async function expectCheck(options: S3Options, kind: string): Promise<void> {
  const store = await openS3(options)
  try {
    expect(await failure(store.checkBucket())).toMatchObject({ kind, applied: 'no' })
  } finally {
    await store.close()
  }
}

function parse(text: string): S3Options & { readonly credentials: NonNullable<S3Options['credentials']> } {
  const url = new URL(text)
  const [bucket = '', ...prefix] = url.pathname.slice(1).split('/')
  const credentials = { accessKeyId: decodeURIComponent(url.username), secretAccessKey: decodeURIComponent(url.password) }
  return { endpoint: url.origin, bucket, prefix: prefix.join('/') || 'test', credentials }
}
