// Frames of real clients and of Kafka itself decode and encode to the same bytes.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  apis,
  checkBatch,
  crc32c,
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  Fetch,
  Produce,
} from '../src/index.ts'

interface Frame {
  readonly api: number
  readonly version: number
  readonly direction: 'request' | 'response'
  readonly hex: string
}

const folder = join(import.meta.dirname, 'golden')
const clients = readdirSync(folder).filter((name) => name.endsWith('.json'))

describe.each(clients)('%s', (file) => {
  const frames = JSON.parse(readFileSync(join(folder, file), 'utf8')) as readonly Frame[]

  test.each(frames.map((frame, index) => ({ ...frame, index, name: apis.get(frame.api)?.name })))(
    '#$index: $name $version, a $direction of a real client or broker, is decoded and encoded to the same bytes',
    ({ api: key, version, direction, hex }) => {
      const api = apis.get(key)
      if (api === undefined) throw new Error(`API ${key} is not known`)
      const bytes = Buffer.from(hex, 'hex')
      if (direction === 'request') {
        const header = decodeRequestHeader(bytes)
        expect(header).toMatchObject({ apiKey: key, apiVersion: version })
        const request = decodeRequest(api, version, bytes, header.bodyAt)
        expect(again(encodeRequest(api, { version, correlationId: header.correlationId, clientId: header.clientId }, request))).toBe(hex)
      } else {
        const { correlationId, response } = decodeResponse(api, version, bytes)
        expect(again(encodeResponse(api, version, correlationId, response))).toBe(hex)
      }
    },
  )

  test(`the record batches of ${basename(file, '.json')} are whole and have correct checksums`, () => {
    let batches = 0
    for (const { api, version, direction, hex } of frames) {
      const bytes = Buffer.from(hex, 'hex')
      if (api === Produce.key && direction === 'request') {
        for (const { partitionData } of decodeRequest(Produce, version, bytes, decodeRequestHeader(bytes).bodyAt).topicData)
          for (const { records } of partitionData) batches += check(records)
      }
      if (api === Fetch.key && direction === 'response') {
        for (const { partitions } of decodeResponse(Fetch, version, bytes).response.responses)
          for (const { records } of partitions) batches += check(records)
      }
    }
    expect(batches).toBeGreaterThan(0)
  })
})

/** The number of batches. */
function check(records: Uint8Array | null): number {
  if (records === null) return 0
  let batches = 0
  for (let at = 0; at < records.length; batches++) {
    const checked = checkBatch(records, at, crc32c)
    if (checked.kind === 'error') throw new Error(checked.message)
    at += checked.header.sizeBytes
  }
  return batches
}

function again(chunks: readonly Uint8Array[]): string {
  return Buffer.concat(chunks).subarray(4).toString('hex')
}
