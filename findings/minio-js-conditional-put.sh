#!/usr/bin/env bash
# minio (JavaScript): a put with `If-None-Match: *` overwrites an existing object if the body is a stream without a size, or larger than one part.
#
# S3 checks the condition of a multipart upload when it is completed. minio passes the headers of `putObject` to the request that starts the upload and sends
# none with the one that completes it, so nothing is checked, and the caller is told of success. A stream without a size is always a multipart upload, also of
# five bytes; with a size, and for buffers in one part, the same call is one PUT and holds the condition. A log that fences writers by creating each object
# once loses what the first writer stored.
# The stub below checks conditions as the API reference of S3 says: on PutObject and CompleteMultipartUpload. SeaweedFS 4.48 in its place gave the same result.
# Seen with minio 8.0.7 on Node 26.10.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --no-audit --no-fund --silent minio@8.0.7
cat >put.mjs <<'JS'
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { Client } from 'minio'

// ---- an S3 that keeps one bucket in memory, and checks conditions, but no signatures ---------------------------------------------
const objects = new Map()
let parts = []
const log = []
const etag = (bytes) => `"${createHash('md5').update(bytes).digest('hex')}"`
const xml = (name, fields) => `<${name}>${Object.entries(fields).map(([key, value]) => `<${key}>${value}</${key}>`).join('')}</${name}>`
const completed = (key, bytes) =>
  xml('CompleteMultipartUploadResult', { Location: 'http://stub', Bucket: 'bucket', Key: key, ETag: etag(bytes).replaceAll('"', '&quot;') })
function answer(request, body) {
  const { pathname: key, searchParams: query } = new URL(request.url, 'http://stub')
  const condition = request.headers['if-none-match']
  const store = (bytes, name) => {
    log.push(`${name}${condition === undefined ? '' : ` If-None-Match: ${condition}`}`)
    if (condition === '*' && objects.has(key)) return { status: 412, text: xml('Error', { Code: 'PreconditionFailed', Message: 'It exists.' }) }
    objects.set(key, bytes)
    return { status: 200, etag: etag(bytes), text: name === 'PutObject' ? '' : completed(key, bytes) }
  }
  if (request.method === 'GET' && query.has('uploads')) return { status: 200, text: xml('ListMultipartUploadsResult', { IsTruncated: false }) }
  if (request.method === 'POST' && query.has('uploads')) {
    parts = []
    log.push(`CreateMultipartUpload${condition === undefined ? '' : ` If-None-Match: ${condition}`}`)
    return { status: 200, text: xml('InitiateMultipartUploadResult', { UploadId: 'upload' }) }
  }
  if (request.method === 'PUT' && query.has('partNumber')) {
    parts[query.get('partNumber')] = body
    return { status: 200, etag: etag(body), text: '' }
  }
  if (request.method === 'POST') return store(Buffer.concat(parts.filter(Boolean)), 'CompleteMultipartUpload')
  if (request.method === 'PUT') return store(body, 'PutObject')
  throw new Error(`${request.method} ${request.url}`)
}
const server = createServer(async (request, response) => {
  const { status, etag, text } = answer(request, Buffer.concat(await request.toArray()))
  response.writeHead(status, { ...(etag && { etag }), 'content-type': 'application/xml' }).end(text)
})

server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address()
  const partSize = 5 * 1024 * 1024
  const client = new Client({ endPoint: '127.0.0.1', port, useSSL: false, accessKey: 'a', secretKey: 's', region: 'us-east-1', partSize })
  const bodies = {
    'a buffer': (text) => [Buffer.from(text)],
    'a stream with its size': (text) => [Readable.from([Buffer.from(text)]), text.length],
    'a stream': (text) => [Readable.from([Buffer.from(text)]), undefined],
    'a buffer of two parts': (text) => [Buffer.alloc(2 * partSize, text)],
  }
  for (const [what, body] of Object.entries(bodies)) {
    log.length = 0
    const outcomes = []
    for (const writer of ['first', 'second']) {
      const [bytes, size] = body(writer)
      outcomes.push(
        await client.putObject('bucket', what, bytes, size, { 'If-None-Match': '*' }).then(
          () => `${writer} stored`,
          (error) => `${writer} ${error.code ?? error.message}`,
        ),
      )
    }
    console.log(`${what}: ${outcomes.join(', ')}; the object is ${/first|second/.exec([...objects].at(-1)[1])[0]}`)
    for (const line of new Set(log)) console.log(`  ${line}`)
  }
  server.close()
  server.closeAllConnections()
})
JS
node put.mjs | tee seen
diff - seen <<'SEEN' && echo 'as it was seen'
a buffer: first stored, second PreconditionFailed; the object is first
  PutObject If-None-Match: *
a stream with its size: first stored, second PreconditionFailed; the object is first
  PutObject If-None-Match: *
a stream: first stored, second stored; the object is second
  CreateMultipartUpload If-None-Match: *
  CompleteMultipartUpload
a buffer of two parts: first stored, second stored; the object is second
  CreateMultipartUpload If-None-Match: *
  CompleteMultipartUpload
SEEN
