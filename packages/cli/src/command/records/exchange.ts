// One request and its answer through our own protocol package, over a connection of the client library: the library's encoder writes wrong timestamps
// when they are far apart, and its decoder does not say which batch it could not read.
import {
  type Api,
  type DecodedResponseOf,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  type RequestInputOf,
} from '@local-kafka-service/protocol'
import { type Base, type Connection, UnsupportedApiError, Writer } from '@platformatic/kafka'

type Client = Pick<Base, 'listApis' | 'connections'>

/** For one cluster: all its brokers are assumed to serve the same versions, as the client library does. */
export class BrokerExchange {
  readonly #client: Client
  #served: Promise<ReadonlyMap<number, VersionRange>> | undefined

  constructor(client: Client) {
    this.#client = client
  }

  /** The newest version that both sides know, at most `newest`. Rejects with an error of the client library. */
  async versionOf(api: Api, newest: number): Promise<number> {
    this.#served ??= servedBy(this.#client)
    let served: ReadonlyMap<number, VersionRange>
    try {
      served = await this.#served
    } catch (error) {
      this.#served = undefined
      throw error
    }
    const range = served.get(api.key)
    const version = Math.min(newest, range?.maxVersion ?? -1)
    if (range === undefined || version < Math.max(range.minVersion, api.versions[0]))
      throw new UnsupportedApiError(`Unsupported API ${api.name}.`)
    return version
  }

  async connectionTo(broker: { readonly host: string; readonly port: number }): Promise<Connection> {
    return await this.#client.connections.get(broker)
  }
}

/** The answer. Rejects with a NetworkError of the client library, or with a ProtocolError for bytes that are not a valid answer. */
export async function ask<A extends Api>(
  connection: Pick<Connection, 'send'>,
  api: A,
  version: number,
  request: RequestInputOf<A>,
): Promise<DecodedResponseOf<A>> {
  const { body, flexible } = bodyOf(api, version, request)
  const frame = await sent(connection, { api, version, flexible, body, answered: true })
  return decodeResponse(api, version, frame).response
}

/** Settles when the request has been sent; it has no answer. */
export async function tellOnly<A extends Api>(
  connection: Pick<Connection, 'send'>,
  api: A,
  version: number,
  request: RequestInputOf<A>,
): Promise<void> {
  await sent(connection, { api, version, ...bodyOf(api, version, request), answered: false })
}

interface VersionRange {
  readonly minVersion: number
  readonly maxVersion: number
}

async function servedBy(client: Client): Promise<ReadonlyMap<number, VersionRange>> {
  return new Map((await client.listApis()).map(({ apiKey, minVersion, maxVersion }) => [apiKey, { minVersion, maxVersion }]))
}

/** The connection writes its own header. */
function bodyOf<A extends Api>(api: A, version: number, request: RequestInputOf<A>): { readonly body: Buffer; readonly flexible: boolean } {
  const frame = Buffer.concat(encodeRequest(api, { version, correlationId: 0, clientId: null }, request)).subarray(sizeBytes)
  const { bodyAt } = decodeRequestHeader(frame)
  return { body: frame.subarray(bodyAt), flexible: api.flexible !== 'never' && version >= api.flexible }
}

interface Message {
  readonly api: Api
  readonly version: number
  readonly flexible: boolean
  readonly body: Buffer
  readonly answered: boolean
}

/** The answer's frame without its size, with the header that decodeResponse expects; empty for a request without an answer. */
function sent(connection: Pick<Connection, 'send'>, { api, version, flexible, body, answered }: Message): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    connection.send<Buffer>(
      api.key,
      version,
      () => {
        const writer = Writer.create().append(body)
        if (!answered) writer.context.noResponse = true
        return writer
      },
      // The library has removed the header.
      (_correlationId, _key, _version, reader) =>
        Buffer.concat([Buffer.alloc(flexible ? correlationBytes + 1 : correlationBytes), reader.buffer.slice(reader.position)]),
      flexible,
      flexible,
      (error, frame) => {
        if (error !== null && error !== undefined) reject(error)
        else resolve(answered && frame !== undefined ? frame : Buffer.alloc(0))
      },
    )
  })
}

const sizeBytes = 4
const correlationBytes = 4
