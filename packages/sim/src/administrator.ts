// The administrator of a world: creates and deletes topics over the wire, and retries until that is done.
import type { TopicId } from '@local-kafka-service/agent/simulation'
import { CreateTopics, DeleteRecords, DeleteTopics, errorName } from '@local-kafka-service/protocol'
import { type ClientConnection, ConnectionLost } from './client.ts'
import { type ClientParts, Reconnecting, retryBackoffMs } from './cluster-client.ts'

export interface TopicToCreate {
  readonly name: string
  readonly numPartitions: number
  readonly configs: readonly { readonly name: string; readonly value: string }[]
}

export class Administrator {
  readonly #parts: ClientParts

  constructor(parts: ClientParts) {
    this.#parts = parts
  }

  /** Undefined: an earlier attempt created it, and its response was lost. */
  async makeTopic(topic: TopicToCreate): Promise<TopicId | undefined> {
    let made: TopicId | undefined
    await this.#untilDone(async (connection) => {
      const asked = { ...topic, replicationFactor: -1, assignments: [] }
      const { topics } = await connection.request(CreateTopics, 7, { topics: [asked], timeoutMs: 30_000, validateOnly: false })
      if (topics[0]?.errorCode === 0) made = topics[0].topicId
      return topics[0]?.errorCode
    })
    return made
  }

  async deleteTopic(topicId: TopicId): Promise<void> {
    await this.#untilDone(async (connection) => {
      const { responses } = await connection.request(DeleteTopics, 6, { topics: [{ name: null, topicId }], timeoutMs: 30_000 })
      return responses[0]?.errorCode
    })
  }

  /** Deletes the records of a partition before the offset, and passes the answer to the checker. */
  async deleteRecords(partition: number, offset: number): Promise<void> {
    const { topic, checker } = this.#parts
    await this.#untilDone(async (connection) => {
      const asked = [{ name: topic.name, partitions: [{ partitionIndex: partition, offset }] }]
      const { topics } = await connection.request(DeleteRecords, 2, { topics: asked, timeoutMs: 30_000 })
      const answer = topics[0]?.partitions[0]
      if (answer?.errorCode === 0) checker.deleted(topic.topicId, partition, answer.lowWatermark)
      return answer?.errorCode
    })
  }

  async #untilDone(ask: (connection: ClientConnection) => Promise<number | undefined>): Promise<void> {
    const { time, trace } = this.#parts
    const link = new Reconnecting(this.#parts, 'admin')
    for (;;) {
      const connection = await link.open(() => false)
      try {
        const code = connection && (await ask(connection))
        const error = code === undefined ? 'no answer' : (errorName(code) ?? String(code))
        trace.write('admin', `receives ${error}`)
        if (done.has(error)) return link.close()
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error
      }
      await time.sleep(retryBackoffMs)
    }
  }
}

/** The results that mean that the request is done, now or by an earlier attempt. */
const done: ReadonlySet<string> = new Set(['NONE', 'TOPIC_ALREADY_EXISTS', 'UNKNOWN_TOPIC_ID', 'UNKNOWN_TOPIC_OR_PARTITION'])
