// Whole messages: headers and bodies of requests and responses, both directions.
import { apis } from '../messages/index.ts'
import { decoder, encoder, stepDecoder, stepEncoder } from '../schema/compile.ts'
import type { Api, DecodedResponseOf, RequestInputOf, RequestOf, ResponseOf } from '../schema/dsl.ts'
import { ProtocolError } from './protocol-error.ts'
import { MessageReader } from './reader.ts'
import { MessageWriter } from './writer.ts'

/** The header of every request. */
export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  /** Where the body begins in the frame. Not meaningful if this package does not know the API or the version. */
  readonly bodyAt: number
}

/** `frame` is one request without its size. Throws a ProtocolError if it is truncated. */
export function decodeRequestHeader(frame: Uint8Array): RequestHeader {
  const reader = new MessageReader(frame)
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const correlationId = reader.int32()
  const clientId = reader.nullableString()
  const api = apis.get(apiKey)
  if (api !== undefined && apiVersion >= 0 && apiVersion <= api.versions[1] && isFlexible(api, apiVersion)) reader.skipTags()
  return { apiKey, apiVersion, correlationId, clientId, bodyAt: reader.at }
}

/**
 * The body that begins at `at`. Fields of bytes and records are views of the frame. Like Kafka, this ignores bytes after the last field of the version:
 * librdkafka 2.16 sends three after Metadata 13. Throws a ProtocolError if the bytes are not a request of that version.
 */
export function decodeRequest<A extends Api>(api: A, version: number, frame: Uint8Array, at: number): RequestOf<A> {
  return decoder(api, 'request', version)(new MessageReader(frame, at)) as RequestOf<A>
}

/** As `decodeRequest`, for a large frame: the caller may do other work between two steps. Yields the number of array elements since the last one. */
export function* decodeRequestInSteps<A extends Api>(
  api: A,
  version: number,
  frame: Uint8Array,
  at: number,
): Generator<number, RequestOf<A>> {
  return (yield* stepDecoder(api, 'request', version)(new MessageReader(frame, at))) as RequestOf<A>
}

/** The chunks to send one after another, beginning with the frame's size. Large fields are not copied. */
export function encodeResponse<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  response: ResponseOf<A>,
): readonly Uint8Array[] {
  const writer = responseWriter(api, version, correlationId)
  encoder(api, 'response', version)(writer, response)
  return framed(writer)
}

/** As `encodeResponse`, for a large message (see `isLarge`), which must stay as it is between the steps. Yields the number of array elements since the last one. */
export function* encodeResponseInSteps<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  response: ResponseOf<A>,
): Generator<number, readonly Uint8Array[]> {
  const writer = responseWriter(api, version, correlationId)
  yield* stepEncoder(api, 'response', version)(writer, response)
  return framed(writer)
}

/** The chunks to send one after another, beginning with the frame's size. Throws a ProtocolError for a value that the version cannot carry. */
export function encodeRequest<A extends Api>(
  api: A,
  header: { readonly version: number; readonly correlationId: number; readonly clientId: string | null },
  request: RequestInputOf<A>,
): readonly Uint8Array[] {
  const writer = new MessageWriter()
  writer.int32(0)
  writer.int16(api.key)
  writer.int16(header.version)
  writer.int32(header.correlationId)
  writer.nullableString(header.clientId)
  if (isFlexible(api, header.version)) writer.uvarint(0)
  encoder(api, 'request', header.version)(writer, request)
  return framed(writer)
}

/**
 * `frame` is one response without its size. Throws a ProtocolError also for bytes after the last field: tests and tools read responses with this, and a
 * correct server does not send more than the version defines.
 */
export function decodeResponse<A extends Api>(
  api: A,
  version: number,
  frame: Uint8Array,
): { readonly correlationId: number; readonly response: DecodedResponseOf<A> } {
  const reader = new MessageReader(frame)
  const correlationId = reader.int32()
  if (hasTaggedResponseHeader(api, version)) reader.skipTags()
  const response = decoder(api, 'response', version)(reader)
  reader.end()
  return { correlationId, response: response as DecodedResponseOf<A> }
}

const apiVersionsKey = 18
const sizeBytes = 4

function isFlexible(api: Api, version: number): boolean {
  return api.flexible !== 'never' && version >= api.flexible
}

/** The exception of KIP-511: a client must be able to read this answer before it knows which versions the server speaks. */
function hasTaggedResponseHeader(api: Api, version: number): boolean {
  return api.key !== apiVersionsKey && isFlexible(api, version)
}

function responseWriter(api: Api, version: number, correlationId: number): MessageWriter {
  const writer = new MessageWriter()
  writer.int32(0)
  writer.int32(correlationId)
  if (hasTaggedResponseHeader(api, version)) writer.uvarint(0)
  return writer
}

function framed(writer: MessageWriter): readonly Uint8Array[] {
  const length = writer.sizeBytes - sizeBytes
  const chunks = writer.finish()
  const first = chunks[0]
  if (first === undefined || length > 0x7fff_ffff) throw new ProtocolError(`a message of ${length} bytes exceeds the 2 GiB of a frame`)
  new DataView(first.buffer, first.byteOffset, first.byteLength).setInt32(0, length)
  return chunks
}
