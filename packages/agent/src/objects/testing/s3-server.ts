// An S3 server inside the test process that fails on demand: it checks signatures, pages its lists, and can delay, cut, lose or reject every answer.
import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

/** The fault of one request. `before`: the request was not applied. `after`: it was applied, but no answer arrives. */
export type S3Fault =
  | { readonly kind: 'answer'; readonly status: number; readonly code: string; readonly when: 'before' | 'after' }
  | { readonly kind: 'hang up'; readonly when: 'before' | 'after' }
  /** The connection ends after the given number of bytes of the answer's body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** The given number of bytes of the answer's body arrive, then nothing until the promise settles, then the connection ends. */
  | { readonly kind: 'stall'; readonly afterBytes: number; readonly until: Promise<void> }
  /** A complete answer with fewer bytes than the object has, as from a broken proxy. */
  | { readonly kind: 'short'; readonly bytes: number }
  /** Nothing happens until the promise settles. The request is then served, whether or not its client is still connected. */
  | { readonly kind: 'wait'; readonly until: Promise<void> }

export interface S3Request {
  readonly method: string
  /** The key inside the bucket; empty for requests to the bucket itself. */
  readonly key: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly sizeBytes: number
}

/** The differences of this server from S3 itself. */
export interface S3Traits {
  readonly conditionalWrites: 'kept' | 'refused' | 'ignored'
  readonly bulkDelete: 'kept' | 'refused' | 'wants Content-MD5'
  readonly ranges: 'kept' | 'ignored'
  readonly checksumHeaders: 'kept' | 'refused'
  readonly pageKeys: number
}

export interface S3ServerOptions extends Partial<S3Traits> {
  readonly bucket?: string
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  /** What the bucket has at first. */
  readonly objects?: ReadonlyMap<string, Buffer>
  /** Called before each request is served. */
  readonly fault?: (request: S3Request) => S3Fault | undefined
  /** S3's code for a key that cannot be removed. */
  readonly undeletable?: (key: string) => string | undefined
}

export interface S3Server extends AsyncDisposable {
  readonly endpoint: string
  readonly bucket: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly objects: ReadonlyMap<string, Buffer>
  readonly requests: readonly S3Request[]
}

const s3Traits: S3Traits = { conditionalWrites: 'kept', bulkDelete: 'kept', ranges: 'kept', checksumHeaders: 'kept', pageKeys: 1000 }

class S3Refusal extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string) {
    super(code)
    this.status = status
    this.code = code
  }
}

interface S3Exchange {
  readonly request: S3Request
  readonly body: Buffer
}

export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const { bucket = 'test', accessKeyId = 'test', secretAccessKey = 'testtest', fault, undeletable } = options
  const traits: S3Traits = { ...s3Traits, ...options }
  const objects = new Map(options.objects)
  const requests: S3Request[] = []

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(incoming)
    if (body === undefined) return
    const served = { request: parse(incoming, body.length), body }
    requests.push(served.request)
    const met = fault?.(served.request)
    if (met?.kind === 'wait') await met.until
    if (met !== undefined && 'when' in met && met.when === 'before') return fail(response, met)
    let answer: S3Answer
    try {
      checkSignature(incoming, body, { accessKeyId, secretAccessKey })
      answer = apply(served, incoming.url ?? '')
    } catch (error) {
      if (!(error instanceof S3Refusal)) throw error
      answer = { status: error.status, headers: { 'content-type': 'application/xml' }, body: Buffer.from(errorXml(error.code)) }
    }
    if (met !== undefined && 'when' in met) return fail(response, met)
    if (met?.kind === 'short') answer = shortened(answer, met.bytes)
    response.writeHead(answer.status, { 'content-length': answer.body.length, ...answer.headers })
    if (met?.kind === 'cut') response.write(answer.body.subarray(0, met.afterBytes), () => response.destroy())
    else if (met?.kind === 'stall') {
      response.write(answer.body.subarray(0, met.afterBytes))
      await met.until
      response.destroy()
    } else response.end(incoming.method === 'HEAD' ? undefined : answer.body)
  }

  function apply({ request, body }: S3Exchange, url: string): S3Answer {
    const { method, key, query, headers } = request
    if (decodeURIComponent(url.split('?')[0]?.split('/')[1] ?? '') !== bucket) throw new S3Refusal(404, 'NoSuchBucket')
    const checksums = Object.keys(headers).filter((name) => name.startsWith('x-amz-checksum-') || name === 'x-amz-sdk-checksum-algorithm')
    if (traits.checksumHeaders === 'refused' && checksums.length > 0) throw new S3Refusal(400, 'InvalidArgument')
    if (method === 'PUT' && key !== '') return put(request, body)
    if (method === 'GET' && key !== '') return get(request)
    if (method === 'DELETE' && key !== '') return removed(key)
    if (method === 'GET' && query.get('list-type') === '2') return list(query)
    if (method === 'POST' && query.has('delete')) return removeMany(request, body)
    throw new S3Refusal(501, 'NotImplemented')
  }

  function put({ key, headers }: S3Request, body: Buffer): S3Answer {
    if (headers['if-none-match'] === '*' && traits.conditionalWrites !== 'ignored') {
      if (traits.conditionalWrites === 'refused') throw new S3Refusal(501, 'NotImplemented')
      if (objects.has(key)) throw new S3Refusal(412, 'PreconditionFailed')
    }
    objects.set(key, body)
    return { status: 200, headers: { etag: '"0"' }, body: Buffer.alloc(0) }
  }

  function get({ key, headers }: S3Request): S3Answer {
    const object = objects.get(key)
    if (object === undefined) throw new S3Refusal(404, 'NoSuchKey')
    const match = traits.ranges === 'kept' ? /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') : null
    if (match === null) return { status: 200, headers: {}, body: object }
    const start = Number(match[1])
    const end = Math.min(Number(match[2]), object.length - 1)
    if (start >= object.length) throw new S3Refusal(416, 'InvalidRange')
    return { status: 206, headers: { 'content-range': `bytes ${start}-${end}/${object.length}` }, body: object.subarray(start, end + 1) }
  }

  function removed(key: string): S3Answer {
    const refusal = undeletable?.(key)
    if (refusal !== undefined) throw new S3Refusal(403, refusal)
    objects.delete(key)
    return { status: 204, headers: {}, body: Buffer.alloc(0) }
  }

  function removeMany({ headers }: S3Request, body: Buffer): S3Answer {
    if (traits.bulkDelete === 'refused') throw new S3Refusal(501, 'NotImplemented')
    if (traits.bulkDelete === 'wants Content-MD5' && headers['content-md5'] === undefined) throw new S3Refusal(400, 'MissingContentMD5')
    const errors: string[] = []
    for (const [, key = ''] of body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)) {
      const refusal = undeletable?.(key)
      if (refusal === undefined) objects.delete(key)
      else errors.push(`<Error><Key>${key}</Key><Code>${refusal}</Code><Message>${refusal}</Message></Error>`)
    }
    return xml(`<DeleteResult>${errors.join('')}</DeleteResult>`)
  }

  function list(query: URLSearchParams): S3Answer {
    const prefix = query.get('prefix') ?? ''
    const after = query.get('continuation-token') ?? query.get('start-after') ?? ''
    const size = Math.min(Number(query.get('max-keys') ?? traits.pageKeys), traits.pageKeys)
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).toSorted()
    const page = keys.slice(0, size)
    const contents = page.map((key) => `<Contents><Key>${key}</Key><Size>${objects.get(key)?.length ?? 0}</Size></Contents>`)
    const more = keys.length > page.length
    const next = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
    return xml(`<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`)
  }

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${portOf(server)}`,
    bucket,
    credentials: { accessKeyId, secretAccessKey },
    objects,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

interface S3Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

function fail(response: ServerResponse, fault: Extract<S3Fault, { when: string }>): void {
  if (fault.kind === 'hang up') response.destroy()
  else response.writeHead(fault.status, { 'content-type': 'application/xml' }).end(errorXml(fault.code))
}

function shortened({ status, headers, body }: S3Answer, bytes: number): S3Answer {
  const range = headers['content-range']?.replace(/^bytes (\d+)-\d+/, (_, start: string) => `bytes ${start}-${Number(start) + bytes - 1}`)
  return { status, headers: { ...headers, ...(range !== undefined && { 'content-range': range }) }, body: body.subarray(0, bytes) }
}

/** Undefined when the client went away first: a truncated body never becomes an object. */
async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
  } catch {
    return undefined
  }
  return Buffer.concat(chunks)
}

function parse(incoming: IncomingMessage, sizeBytes: number): S3Request {
  const url = new URL(incoming.url ?? '/', 'http://server')
  const key = url.pathname.split('/').slice(2).map(decodeURIComponent).join('/')
  return { method: incoming.method ?? '', key, query: url.searchParams, headers: incoming.headers, sizeBytes }
}

/** AWS Signature Version 4, as the server recomputes it; the body must have the signed hash. */
function checkSignature(
  incoming: IncomingMessage,
  body: Buffer,
  keys: { readonly accessKeyId: string; readonly secretAccessKey: string },
): void {
  const { headers } = incoming
  const match = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
    headers.authorization ?? '',
  )
  if (match === null) throw new S3Refusal(403, 'AccessDenied')
  const [, accessKeyId, scope = '', signedHeaders = '', signature] = match
  if (accessKeyId !== keys.accessKeyId) throw new S3Refusal(403, 'InvalidAccessKeyId')
  const payload = String(headers['x-amz-content-sha256'])
  if (payload !== createHash('sha256').update(body).digest('hex')) throw new S3Refusal(400, 'XAmzContentSHA256Mismatch')
  const [path = '', query = ''] = (incoming.url ?? '').split('?')
  const canonicalQuery = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .toSorted()
    .join('&')
  const names = signedHeaders.split(';')
  const signed = names.map((name) => `${name}:${String(headers[name] ?? '').trim()}`)
  const canonical = [incoming.method, path, canonicalQuery, ...signed, '', signedHeaders, payload].join('\n')
  const digest = createHash('sha256').update(canonical).digest('hex')
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${keys.secretAccessKey}`)
  const expected = hmac(key, ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, digest].join('\n')).toString('hex')
  if (expected !== signature) throw new S3Refusal(403, 'SignatureDoesNotMatch')
}

function xml(text: string): S3Answer {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: Buffer.from(`<?xml version="1.0"?>${text}`) }
}

function errorXml(code: string): string {
  return `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port')
  return address.port
}
