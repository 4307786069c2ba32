// The FileStorage Service in S3, or in any server with its API: one object per key under a prefix of a bucket, one PUT per object.
import type { S3Client } from '@aws-sdk/client-s3'
import { joinChunks } from '../join-chunks.ts'
import { checkKey, checkPrefix, isKey } from '../keys.ts'
import {
  abortedError,
  type ByteRange,
  type ListedObject,
  type ObjectStore,
  ObjectStoreError,
  type PutIfAbsent,
  type RemoveResult,
} from '../object-store.ts'
import { codesOf, s3Error, statusOf } from './s3-errors.ts'

type Sdk = typeof import('@aws-sdk/client-s3')

export interface S3Options {
  readonly bucket: string
  /** Without slashes at its ends. Empty: the whole bucket. */
  readonly prefix: string
  /** Absent: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or the profile's, otherwise AWS itself. */
  readonly endpoint?: string
  /** Absent: the environment's or the profile's, otherwise us-east-1, which most servers other than AWS accept. */
  readonly region?: string
  /** Absent: the SDK's default chain (environment, profiles, web identity, container, instance). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
  /** `path`: endpoint/bucket/key; `host`: bucket.endpoint/key. Absent: path for a custom endpoint, host for AWS. */
  readonly addressing?: 'path' | 'host'
  /** The time-out until the first byte of an answer, and between any two. */
  readonly requestTimeoutMs?: number
  readonly connectTimeoutMs?: number
  readonly maxSockets?: number
}

const defaults = { requestTimeoutMs: 10_000, connectTimeoutMs: 3_000, maxSockets: 96 }
/** S3's own limit. */
const keysPerBulkDelete = 1_000
const deletesAtOnce = 8

/** Loads the SDK (0.2 s) but does not connect. Call `checkBucket` next. */
export async function openS3(options: S3Options): Promise<S3Objects> {
  const sdk = await import('@aws-sdk/client-s3')
  const { requestTimeoutMs, connectTimeoutMs, maxSockets } = { ...defaults, ...options }
  const configure = (region: string | undefined): S3Client =>
    new sdk.S3Client({
      ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
      ...(region !== undefined && { region }),
      ...(options.credentials !== undefined && { credentials: options.credentials }),
      // The wrapper does the retries; it knows the deadlines and counts the attempts.
      maxAttempts: 1,
      followRegionRedirects: true,
      // The signed SHA-256 protects every PUT; every server that checks signatures checks it or (SeaweedFS) replaces it by counting. Checksum headers are
      // sent only where S3 requires one (bulk delete), because older servers reject or corrupt them.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      // This would open a new connection for each large PUT.
      expectContinueHeader: false,
      requestHandler: {
        connectionTimeout: connectTimeoutMs,
        requestTimeout: requestTimeoutMs,
        throwOnRequestTimeout: true,
        socketTimeout: requestTimeoutMs,
        httpAgent: { keepAlive: true, maxSockets },
        httpsAgent: { keepAlive: true, maxSockets },
      },
    })
  let client = configure(options.region)
  // The SDK finds a region or throws; a custom server rarely has one.
  if (options.region === undefined) {
    const found = await client.config.region().catch(() => undefined)
    if (found === undefined) client = configure('us-east-1')
  }
  client.config.forcePathStyle = options.addressing === undefined ? await hasOwnEndpoint(client) : options.addressing === 'path'
  return new S3Objects(sdk, client, options)
}

export class S3Objects implements ObjectStore {
  readonly #sdk: Sdk
  readonly #client: S3Client
  readonly #bucket: string
  readonly #root: string
  #bulkDelete = true
  #conditionalPut = true

  constructor(sdk: Sdk, client: S3Client, { bucket, prefix }: Pick<S3Options, 'bucket' | 'prefix'>) {
    const trimmed = prefix.replace(/^\/+|\/+$/g, '')
    if (trimmed !== '') checkKey(trimmed)
    this.#sdk = sdk
    this.#client = client
    this.#bucket = bucket
    this.#root = trimmed === '' ? '' : `${trimmed}/`
  }

  /**
   * For the start: one small list under the prefix. Rejects with 'invalid' (no such bucket, wrong region), 'denied' (credentials wrong, missing or without
   * the permission), 'unavailable' or 'timeout' (no server answers at the endpoint); the message names bucket and cause.
   */
  async checkBucket(signal?: AbortSignal): Promise<void> {
    const command = new this.#sdk.ListObjectsV2Command({ Bucket: this.#bucket, Prefix: this.#root, MaxKeys: 1 })
    try {
      await this.#client.send(command, withSignal(signal))
    } catch (error) {
      const known = s3Error(error, 'none', `bucket ${this.#bucket}`)
      if (known.kind !== 'missing') throw known
      throw new ObjectStoreError('invalid', 'no', `bucket ${this.#bucket}: there is no such bucket (${known.message})`, { cause: error })
    }
  }

  async put(key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    await this.#put(key, body, signal, {})
  }

  /** 'unsupported' if the server reports so; a server that ignores the condition answers 'created' (see claimPrefix). */
  readonly putIfAbsent = async (key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<PutIfAbsent> => {
    if (!this.#conditionalPut) return 'unsupported'
    try {
      await this.#put(key, body, signal, { IfNoneMatch: '*' })
      return 'created'
    } catch (error) {
      const cause = error instanceof ObjectStoreError ? error.cause : undefined
      if (statusOf(cause) === 412) return 'exists'
      if (statusOf(cause) !== 501 && !codesOf(cause).includes('NotImplemented')) throw error
      this.#conditionalPut = false
      return 'unsupported'
    }
  }

  async read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    checkKey(key)
    const what = `read ${key}`
    if (signal?.aborted === true) throw abortedError('no', what)
    const asked = range === undefined ? {} : { Range: `bytes=${range.start}-${range.start + range.length - 1}` }
    const command = new this.#sdk.GetObjectCommand({ Bucket: this.#bucket, Key: this.#root + key, ...asked })
    try {
      const { Body, ContentLength, ContentRange } = await this.#client.send(command, withSignal(signal))
      if (Body === undefined || ContentLength === undefined)
        throw new ObjectStoreError('corrupt', 'no', `${what}: the answer has no length`)
      // The SDK promises an AsyncIterable on Node, where the body is an IncomingMessage.
      const stream = Body as AsyncIterable<Uint8Array> & { destroy?(): void }
      try {
        const part = partOf(range, { length: ContentLength, contentRange: ContentRange })
        if (part === undefined)
          throw new ObjectStoreError(
            'corrupt',
            'no',
            `${what}: requested ${asked.Range}, received ${ContentRange ?? `${ContentLength} bytes`}`,
          )
        return await collect(stream, { ...part, into: range?.into }, what)
      } finally {
        // Frees the socket of a body that was not read to its end; after the end this does nothing.
        stream.destroy?.()
      }
    } catch (error) {
      if (isAborted(signal)) throw abortedError('no', what)
      throw s3Error(error, 'none', what)
    }
  }

  async remove(keys: readonly string[], signal?: AbortSignal): Promise<readonly RemoveResult[]> {
    for (const key of keys) checkKey(key)
    const results: RemoveResult[] = []
    for (let at = 0; at < keys.length; at += keysPerBulkDelete) {
      const page = keys.slice(at, at + keysPerBulkDelete)
      results.push(...((await this.#removeInBulk(page, signal)) ?? (await this.#removeSingly(page, signal))))
    }
    return results
  }

  async *list(prefix: string, options: { readonly after?: string; readonly signal?: AbortSignal } = {}): AsyncIterable<ListedObject> {
    checkPrefix(prefix)
    const { after = '', signal } = options
    let token: string | undefined
    do {
      if (signal?.aborted === true) throw abortedError('no', `list ${prefix}`)
      const command = new this.#sdk.ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: this.#root + prefix,
        ...(token === undefined ? after !== '' && { StartAfter: this.#root + after } : { ContinuationToken: token }),
      })
      const page = await this.#client.send(command, withSignal(signal)).catch((error: unknown) => {
        throw s3Error(error, 'none', `list ${prefix}`)
      })
      for (const { Key, Size } of page.Contents ?? []) {
        const key = Key?.startsWith(this.#root) === true ? Key.slice(this.#root.length) : ''
        // A name that is not a valid key (a console's folder mark, say) belongs to another program: it is neither read nor removed.
        if (isKey(key) && key.startsWith(prefix) && key > after) yield { key, sizeBytes: Size ?? 0 }
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (token !== undefined)
  }

  async close(): Promise<void> {
    this.#client.destroy()
  }

  /** One Buffer: a body without a known hash would need trailers, which not every server supports. One memcpy, 1 ms for 8 MiB. */
  async #put(
    key: string,
    body: readonly Uint8Array[],
    signal: AbortSignal | undefined,
    condition: { readonly IfNoneMatch?: '*' },
  ): Promise<void> {
    checkKey(key)
    const what = `put ${key}`
    if (signal?.aborted === true) throw abortedError('no', what)
    const bytes = joinChunks(body)
    const command = new this.#sdk.PutObjectCommand({
      Bucket: this.#bucket,
      Key: this.#root + key,
      Body: bytes,
      ContentLength: bytes.length,
      ...condition,
    })
    try {
      await this.#client.send(command, withSignal(signal))
    } catch (error) {
      throw isAborted(signal) ? abortedError('unknown', what) : s3Error(error, 'change', what)
    }
  }

  /** Undefined if the server has no bulk delete, or requires it in a form that the SDK does not support: single deletes then report any error. */
  async #removeInBulk(keys: readonly string[], signal: AbortSignal | undefined): Promise<readonly RemoveResult[] | undefined> {
    if (!this.#bulkDelete) return undefined
    if (signal?.aborted === true) throw abortedError('no', 'remove')
    const objects = keys.map((key) => ({ Key: this.#root + key }))
    const command = new this.#sdk.DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects: objects, Quiet: true } })
    try {
      const { Errors = [] } = await this.#client.send(command, withSignal(signal))
      const failed = new Map(
        Errors.map(({ Key = '', Code = '', Message = '' }) => [Key, Object.assign(new Error(Message), { code: Code })]),
      )
      return keys.map((key) => {
        const error = failed.get(this.#root + key)
        return error === undefined || error.code === 'NoSuchKey' ? { key } : { key, error: s3Error(error, 'change', `remove ${key}`) }
      })
    } catch (error) {
      if (!hasNoBulkDelete(error)) throw isAborted(signal) ? abortedError('unknown', 'remove') : s3Error(error, 'change', 'remove')
      this.#bulkDelete = false
      return undefined
    }
  }

  async #removeSingly(keys: readonly string[], signal: AbortSignal | undefined): Promise<readonly RemoveResult[]> {
    const results: RemoveResult[] = []
    for (let at = 0; at < keys.length; at += deletesAtOnce) {
      if (signal?.aborted === true) throw abortedError(at === 0 ? 'no' : 'unknown', 'remove')
      results.push(...(await Promise.all(keys.slice(at, at + deletesAtOnce).map((key) => this.#removeOne(key, signal)))))
    }
    return results
  }

  async #removeOne(key: string, signal: AbortSignal | undefined): Promise<RemoveResult> {
    const command = new this.#sdk.DeleteObjectCommand({ Bucket: this.#bucket, Key: this.#root + key })
    try {
      await this.#client.send(command, withSignal(signal))
      return { key }
    } catch (error) {
      const known = s3Error(error, 'change', `remove ${key}`)
      return known.kind === 'missing' ? { key } : { key, error: known }
    }
  }
}

/** Whether requests go to a server other than AWS: only the SDK knows the environment and the profile. */
async function hasOwnEndpoint(client: S3Client): Promise<boolean> {
  const config = client.config as { endpoint?: unknown; serviceConfiguredEndpoint?: () => Promise<string | undefined> }
  return config.endpoint !== undefined || (await config.serviceConfiguredEndpoint?.()) !== undefined
}

/** A function, because the compiler does not expect a property to change during a wait. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

function withSignal(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal }
}

/** The part of the answer's body that is the range. Some servers answer a range with the whole object. Undefined if the answer lacks a part of the range. */
function partOf(
  range: ByteRange | undefined,
  { length, contentRange }: { readonly length: number; readonly contentRange: string | undefined },
): { readonly skip: number; readonly length: number } | undefined {
  if (range === undefined) return { skip: 0, length }
  const match = contentRange === undefined ? undefined : /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(contentRange)
  if (contentRange !== undefined && match == null) return undefined
  const start = Number(match?.[1] ?? 0)
  const total = match == null ? length : match[3] === '*' ? start + length : Number(match[3])
  const wanted = range.untilEnd === true ? Math.min(range.length, total - range.start) : range.length
  const skip = range.start - start
  return wanted > 0 && skip >= 0 && skip + wanted <= length ? { skip, length: wanted } : undefined
}

async function collect(
  stream: AsyncIterable<Uint8Array>,
  { skip, length, into }: { readonly skip: number; readonly length: number; readonly into: Uint8Array | undefined },
  what: string,
): Promise<Uint8Array> {
  const bytes = into?.subarray(0, length) ?? Buffer.allocUnsafeSlow(length)
  let seen = 0
  for await (const chunk of stream) {
    const from = Math.max(0, skip - seen)
    const at = Math.max(0, seen - skip)
    if (at < length && from < chunk.length) bytes.set(chunk.subarray(from, from + length - at), at)
    seen += chunk.length
    // The rest lies beyond the range. An answer that ends here is still read to its end, otherwise its connection could not be used again.
    if (seen > skip + length) return bytes
  }
  if (seen < skip + length)
    throw new ObjectStoreError('unavailable', 'no', `${what}: the answer ended after ${seen} of ${skip + length} bytes`)
  return bytes
}

/** The answers of servers that have no bulk delete, require Content-MD5 for it, or reject the checksum header that the SDK sends instead. */
const noBulkDelete = new Set([
  'NotImplemented',
  'MethodNotAllowed',
  'MissingContentMD5',
  'InvalidDigest',
  'MissingDigest',
  'InvalidArgument',
  'InvalidRequest',
  'MalformedXML',
])

function hasNoBulkDelete(error: unknown): boolean {
  const status = statusOf(error)
  return status === 501 || status === 405 || codesOf(error).some((code) => noBulkDelete.has(code))
}
