// One row's requests to one server, and the transcript of its answers. The same conversation is held with both servers.
import {
  type Api,
  CreateTopics,
  type DecodedResponseOf,
  decodeResponse,
  encodeRequest,
  errorName,
  ListOffsets,
  Metadata,
  type RequestInputOf,
} from '@local-kafka-service/protocol'
import { RawConnection } from './connection.ts'

/** A server as the test reaches it. */
export interface ComparedServer {
  readonly host: string
  readonly port: number
  readonly nodeId: number
  readonly clusterId: string
  /** Topics that several rows read, by the word of `shared`. */
  readonly shared: Map<string, Promise<SharedTopic>>
}

interface SharedTopic {
  readonly name: string
  readonly topicId: string
}

export interface RecordedExchange {
  /** The API's name, or words for raw bytes. */
  readonly request: string
  /** The decoded answer, or a word for an answer that did not come or could not be read. */
  answer: object | string
}

/** How a request leaves; without anything as a proper client sends it. */
export interface SendOptions {
  /** Without it the row's version for the row's API, and the newest version that both servers have for any other. */
  readonly version?: number
  /** Written in the header although the body is of `version`. */
  readonly claims?: number
  /** The version in which the answer comes, where that is another. */
  readonly answeredIn?: number
  /** In place of the encoded body. */
  readonly body?: Uint8Array
  /** Bytes after the end of the body. */
  readonly trailing?: Uint8Array
  /** Adds a tagged field that no version has, to the header or to the end of the body. The version must be flexible. */
  readonly unknownTag?: 'header' | 'body'
  /** Bytes in the encoded request that are replaced by as many others: values that the encoder rejects. */
  readonly replaced?: readonly (readonly [Uint8Array, Uint8Array])[]
  readonly clientId?: string | null
  /** No answer is due, as with acks=0. */
  readonly unanswered?: true
}

/** Thrown to end a conversation whose connection ended; the transcript has it. */
export class Ended extends Error {}

export interface TopicOptions {
  readonly partitions?: number
  readonly configs?: Readonly<Record<string, string>>
}

export class Conversation {
  readonly transcript: RecordedExchange[] = []
  /** Topics that the row made, by id: names are the same on both servers, ids are not. */
  readonly topicIds = new Map<string, string>()
  readonly version: number
  readonly server: ComparedServer
  readonly #api: Api
  readonly #slug: string
  readonly #connections: RawConnection[] = []
  #correlationId = 0

  constructor({
    api,
    version,
    slug,
    server,
  }: { readonly api: Api; readonly version: number; readonly slug: string; readonly server: ComparedServer }) {
    this.#api = api
    this.version = version
    this.#slug = slug
    this.server = server
  }

  /** A name that no other row has. */
  name(word = 'a'): string {
    return `${this.#slug}-${word}`
  }

  /** Sends on the row's first connection. Ends the conversation when the answer does not come. */
  async send<A extends Api>(api: A, request: RequestInputOf<A>, sending: SendOptions = {}): Promise<DecodedResponseOf<A>> {
    return await this.sendOn(await this.connection(0), api, request, sending)
  }

  /** The connections of a row, opened at their first use and open until its end: a member of a group keeps its own. */
  async connection(index: number): Promise<RawConnection> {
    return (this.#connections[index] ??= await RawConnection.open(this.server))
  }

  async sendOn<A extends Api>(
    connection: RawConnection,
    api: A,
    request: RequestInputOf<A>,
    sending: SendOptions = {},
  ): Promise<DecodedResponseOf<A>> {
    const version = this.#versionOf(api, sending)
    const exchange: RecordedExchange = { request: api.name, answer: 'nothing yet' }
    this.transcript.push(exchange)
    const answer = await this.#exchanged(connection, { api, version, request, sending })
    exchange.answer = answer
    // The cast: a body that was decoded by this API's literal has its type; a word has ended the conversation.
    if (typeof answer !== 'string') return answer as DecodedResponseOf<A>
    if (answer === 'none due') return {} as DecodedResponseOf<A>
    throw new Ended(answer)
  }

  /** Of an answer about everything on the server, the transcript keeps what is the row's own. */
  async sendFiltered<A extends Api>(
    api: A,
    request: RequestInputOf<A>,
    own: (response: DecodedResponseOf<A>) => DecodedResponseOf<A>,
    sending: SendOptions = {},
  ): Promise<void> {
    const response = await this.send(api, request, sending)
    const exchange = this.transcript.at(-1)
    if (exchange !== undefined) exchange.answer = own(response)
  }

  /** Without a trace in the transcript and in the newest version: what prepares, and what waits for a state. */
  async ask<A extends Api>(api: A, request: RequestInputOf<A>, sending: SendOptions = {}): Promise<DecodedResponseOf<A>> {
    const answer = await this.#exchanged(await this.connection(0), {
      api,
      version: sending.version ?? api.versions[1],
      request,
      sending,
    })
    if (typeof answer === 'string') throw new Error(`${api.name}: ${answer}`)
    return answer as DecodedResponseOf<A>
  }

  /** Asks until the answer is as wished; the runner's own time-out bounds it. */
  async until<A extends Api>(
    api: A,
    request: RequestInputOf<A>,
    wished: (response: DecodedResponseOf<A>) => boolean,
  ): Promise<DecodedResponseOf<A>> {
    for (;;) {
      const response = await this.ask(api, request)
      if (wished(response)) return response
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  /** Makes a topic of the row and waits until it has leaders. */
  async topic(word = 'a', { partitions = 1, configs = {} }: TopicOptions = {}): Promise<string> {
    const name = this.name(word)
    const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
    const request = { topics: [{ name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: entries }] }
    const [made] = (await this.ask(CreateTopics, request)).topics
    if (made?.errorCode !== 0) throw new Error(`${name} was not made: ${errorName(made?.errorCode ?? -1)} ${made?.errorMessage}`)
    this.topicIds.set(made.topicId, name)
    await this.visible(name)
    return name
  }

  /** A topic that is prepared once and that no row changes. */
  async shared(word: string, prepare: (owner: Conversation) => Promise<string>): Promise<string> {
    const { server } = this
    const topic = server.shared.get(word) ?? this.#prepared(word, prepare)
    server.shared.set(word, topic)
    const { name, topicId } = await topic
    this.topicIds.set(topicId, name)
    return name
  }

  async #prepared(word: string, prepare: (owner: Conversation) => Promise<string>): Promise<SharedTopic> {
    const owner = new Conversation({ api: CreateTopics, version: CreateTopics.versions[1], slug: `shared-${word}`, server: this.server })
    try {
      const name = await prepare(owner)
      return { name, topicId: owner.idOf(name) }
    } finally {
      owner.end()
    }
  }

  /** Waits until the server lists the topic with leaders. */
  async visible(name: string): Promise<void> {
    const { topics } = await this.until(Metadata, { topics: [{ name }], allowAutoTopicCreation: false }, ({ topics: [topic] }) => {
      return topic?.errorCode === 0 && topic.partitions.every(({ errorCode }) => errorCode === 0)
    })
    for (const topic of topics) this.topicIds.set(topic.topicId, name)
    // Kafka lists a leader before that leader serves the partition.
    const partitions = topics.flatMap((topic) => topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, timestamp: -1 })))
    await this.until(ListOffsets, { replicaId: -1, topics: [{ name, partitions }] }, ({ topics: [topic] }) => {
      return topic?.partitions.every(({ errorCode }) => errorCode === 0) === true
    })
  }

  /** The id of a topic that the row made. */
  idOf(name: string): string {
    for (const [id, of] of this.topicIds) if (of === name) return id
    throw new Error(`${name} was not made by this row`)
  }

  /** Bytes that are a whole frame without its size; the answer is not decoded: only whether one comes counts. */
  async sendRaw(frame: Uint8Array, words: string): Promise<void> {
    const exchange: RecordedExchange = { request: words, answer: 'nothing yet' }
    this.transcript.push(exchange)
    const connection = await this.connection(0)
    connection.write(withSize(frame))
    const arrival = await connection.next()
    exchange.answer = typeof arrival === 'string' ? arrival : 'answered'
    if (exchange.answer !== 'answered') throw new Ended(exchange.answer)
  }

  end(): void {
    for (const connection of this.#connections) connection.end()
  }

  #versionOf(api: Api, { version }: SendOptions): number {
    return version ?? (api.key === this.#api.key ? this.version : api.versions[1])
  }

  async #exchanged(
    connection: RawConnection,
    {
      api,
      version,
      request,
      sending,
    }: { readonly api: Api; readonly version: number; readonly request: object; readonly sending: SendOptions },
  ): Promise<object | string> {
    const correlationId = ++this.#correlationId
    const { clientId = 'differential' } = sending
    const encoded = joined(encodeRequest(api, { version, correlationId, clientId }, request))
    const headerTagsAt = 10 + (clientId?.length ?? 0)
    const bodyAt = headerTagsAt + (api.flexible !== 'never' && version >= api.flexible ? 1 : 0)
    connection.write(changed(encoded.subarray(4), { sending, headerTagsAt, bodyAt }))
    if (sending.unanswered === true) return 'none due'
    const arrival = await connection.next()
    if (typeof arrival === 'string') return arrival
    const decoded = decodeResponse(api, sending.answeredIn ?? version, arrival)
    return decoded.correlationId === correlationId
      ? decoded.response
      : `the answer to ${decoded.correlationId - correlationId} requests later`
  }
}

/** The frame with what the sending adds or replaces, its size in front. */
function changed(
  frame: Uint8Array,
  { sending, headerTagsAt, bodyAt }: { readonly sending: SendOptions; readonly headerTagsAt: number; readonly bodyAt: number },
): Uint8Array {
  const { claims, body, trailing = new Uint8Array(), unknownTag, replaced = [] } = sending
  let bytes = body === undefined ? Uint8Array.from(frame) : joined([frame.subarray(0, bodyAt), body])
  for (const [from, to] of replaced) {
    const at = Buffer.from(bytes).indexOf(from)
    if (at < 0 || from.length !== to.length) throw new RangeError('the bytes to replace are not in the request')
    bytes.set(to, at)
  }
  if (claims !== undefined) new DataView(bytes.buffer).setInt16(2, claims)
  // One tagged field: tag 99 with two bytes, in place of a count of 0.
  const tags = Uint8Array.of(1, 99, 2, 0xab, 0xcd)
  if (unknownTag === 'header') bytes = joined([bytes.subarray(0, headerTagsAt), tags, bytes.subarray(headerTagsAt + 1)])
  if (unknownTag === 'body') bytes = joined([bytes.subarray(0, -1), tags])
  return withSize(joined([bytes, trailing]))
}

function withSize(frame: Uint8Array): Uint8Array {
  const size = new Uint8Array(4)
  new DataView(size.buffer).setInt32(0, frame.length)
  return joined([size, frame])
}

export function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat(chunks))
}
