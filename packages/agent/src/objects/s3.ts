// The FileStorage Service in S3, or in anything that speaks its API: one object per key under a prefix of a bucket, one PUT per object.
import type { S3Client } from '@aws-sdk/client-s3'
import { joinChunks } from './join-chunks.ts'
import { checkKey, checkPrefix, isKey } from './keys.ts'
import {
  abortedError,
  type ByteRange,
  type ListedObject,
  type ObjectStore,
  ObjectStoreError,
  type PutIfAbsent,
  type RemoveResult,
} from './object-store.ts'
import { codesOf, s3Error, statusOf } from './s3-errors.ts'

type Sdk = typeof import('@aws-sdk/client-s3')

export interface S3Options {
  readonly bucket: string
  /** Without slashes at its ends; empty: the whole bucket. */
  readonly prefix: string
  /** Absent: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or the profile's, else AWS itself. */
  readonly endpoint?: string
  /** Absent: the environment's or the profile's, else us-east-1, which most servers but AWS take. */
  readonly region?: string
  /** Absent: the SDK's default chain (environment, profiles, web identity, container, instance). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
  /** `path`: endpoint/bucket/key; `host`: bucket.endpoint/key. Absent: path for an endpoint of one's own, host for AWS. */
  readonly addressing?: 'path' | 'host'
  /** Until the first byte of an answer, and between any two. */
  readonly requestTimeoutMs?: number
  readonly connectTimeoutMs?: number
  readonly maxSockets?: number
}

const defaults = { requestTimeoutMs: 10_000, connectTimeoutMs: 3_000, maxSockets: 64 }
/** S3's own bound. */
const keysPerBulkDelete = 1_000
const deletesAtOnce = 8

/** Loads the SDK (0.2 s), connects to nothing. Ask `checkBucket` next. */
export async function openS3(options: S3Options): Promise<S3Objects> {
  const sdk = await import('@aws-sdk/client-s3')
  const { requestTimeoutMs, connectTimeoutMs, maxSockets } = { ...defaults, ...options }
  const configure = (region: string | undefined): S3Client =>
    new sdk.S3Client({
      ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
      ...(region !== undefined && { region }),
      ...(options.credentials !== undefined && { credentials: options.credentials }),
      // Retries are the wrapper's, which knows deadlines and keeps the count.
      maxAttempts: 1,
      followRegionRedirects: true,
      // Every PUT is protected by its signed SHA-256, which every server that checks signatures checks or (SeaweedFS) replaces by counting. Checksum headers are
      // sent only where S3 asks for one (bulk delete), because older servers refuse or garble them.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      // Would open a new connection for each large PUT.
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
  // The SDK finds a region or throws; a server of one's own rarely has one.
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
   * For start-up: one small list under the prefix. Rejects with 'invalid' (no such bucket, wrong region), 'denied' (credentials wrong, missing or not
   * allowed to), 'unavailable' or 'timeout' (nobody answers at the endpoint); the message names bucket and cause.
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

  /** 'unsupported' where the server says so; a server that ignores the condition answers 'created' (see claimPrefix). */
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
        throw new ObjectStoreError('corrupt', 'no', `${what}: an answer without a length`)
      // AsyncIterable by the SDK's own promise for Node, where the body is an IncomingMessage.
      const stream = Body as AsyncIterable<Uint8Array> & { destroy?(): void }
      try {
        const part = partOf(range, { length: ContentLength, contentRange: ContentRange })
        if (part === undefined)
          throw new ObjectStoreError('corrupt', 'no', `${what}: asked for ${asked.Range}, got ${ContentRange ?? `${ContentLength} bytes`}`)
        return await collect(stream, part, what)
      } finally {
        // Frees the socket of a body that was not read to its end; after the end it does nothing.
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
        // Whatever is no key of ours (a console's folder mark, say) is nobody's to read or remove.
        if (isKey(key) && key.startsWith(prefix) && key > after) yield { key, sizeBytes: Size ?? 0 }
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (token !== undefined)
  }

  async close(): Promise<void> {
    this.#client.destroy()
  }

  /** One Buffer: a body without a known hash would need trailers, which not every server has. One memcpy, 1 ms for 8 MiB. */
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

  /** Undefined where the server has no bulk delete, or wants it in a way that the SDK does not speak: single deletes then tell what is wrong, if anything is. */
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

/** Whether requests go anywhere but to AWS: only the SDK knows what environment and profile say. */
async function hasOwnEndpoint(client: S3Client): Promise<boolean> {
  const config = client.config as { endpoint?: unknown; serviceConfiguredEndpoint?: () => Promise<string | undefined> }
  return config.endpoint !== undefined || (await config.serviceConfiguredEndpoint?.()) !== undefined
}

/** Asked again after a wait, which the compiler does not expect of a property. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

function withSignal(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal }
}

/** Which bytes of the answer's body are the range. Some servers answer a range with the whole object; a shorter range than asked for is no answer. */
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
  { skip, length }: { readonly skip: number; readonly length: number },
  what: string,
): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(length)
  let seen = 0
  for await (const chunk of stream) {
    const from = Math.max(0, skip - seen)
    const at = Math.max(0, seen - skip)
    if (at < length && from < chunk.length) bytes.set(chunk.subarray(from, from + length - at), at)
    seen += chunk.length
    // What is left is more than was asked for. An answer that ends here is read to its end, or its connection could not be used again.
    if (seen > skip + length) return bytes
  }
  if (seen < skip + length)
    throw new ObjectStoreError('unavailable', 'no', `${what}: the answer ended after ${seen} of ${skip + length} bytes`)
  return bytes
}

/** What servers answer that have no bulk delete, want Content-MD5 for it, or refuse the checksum header that the SDK sends instead. */
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
