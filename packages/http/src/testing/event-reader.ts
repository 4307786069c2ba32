// A reader of server-sent events, like a browser's: events with their ids, and comments.

export interface ReceivedEvent {
  readonly event: string | undefined
  readonly id: string
  readonly data: Readonly<Record<string, unknown>>
  readonly record: { readonly partition: number; readonly offset: number; readonly key: string | null; readonly value: string }
}

export class EventReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #abort: AbortController
  readonly #decoder = new TextDecoder()
  #text = ''
  lastId = ''

  private constructor(reader: ReadableStreamDefaultReader<Uint8Array>, abort: AbortController) {
    this.#reader = reader
    this.#abort = abort
  }

  /** Settles with the first id, when the stream has started. */
  static async open(url: string, lastEventId?: string): Promise<EventReader> {
    const abort = new AbortController()
    const response = await fetch(url, {
      signal: abort.signal,
      headers: { accept: 'text/event-stream', ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) },
    })
    if (response.status !== 200 || response.body === null) throw new Error(`${response.status} ${await response.text()}`)
    if (response.headers.get('content-type') !== 'text/event-stream; charset=utf-8') throw new Error('not an event stream')
    const reader = new EventReader(response.body.getReader(), abort)
    await reader.#block()
    return reader
  }

  /** The next event with data. */
  async next(): Promise<ReceivedEvent> {
    for (;;) {
      const block = await this.#block()
      if (block === undefined) throw new Error('the stream ended')
      const data = block.get('data')
      if (data === undefined) continue
      const json = JSON.parse(data)
      return { event: block.get('event'), id: this.lastId, data: json, record: json }
    }
  }

  /** The next comment's text. */
  async comment(): Promise<string> {
    for (;;) {
      const block = await this.#block()
      if (block === undefined) throw new Error('the stream ended')
      const text = block.get('')
      if (text !== undefined) return text
    }
  }

  /** Whether the rest of the stream has only comments. */
  async ended(): Promise<boolean> {
    for (;;) {
      const block = await this.#block()
      if (block === undefined) return true
      if (block.has('data')) return false
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort()
    await this.#reader.closed.catch(() => {})
  }

  /** One block of fields; a comment is the field without a name. */
  async #block(): Promise<ReadonlyMap<string, string> | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\n\n')
      if (end >= 0) {
        const block = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 2)
        const fields = new Map<string, string>()
        for (const line of block.split('\n')) {
          const colon = line.indexOf(':')
          const value = line.slice(colon + 1)
          fields.set(line.slice(0, colon), colon === 0 ? value : value.replace(/^ /, ''))
        }
        this.lastId = fields.get('id') ?? this.lastId
        return fields
      }
      const { done, value } = await this.#reader.read()
      if (done) return undefined
      this.#text += this.#decoder.decode(value, { stream: true })
    }
  }
}
