// The topics that this agent has heard of. It may be stale: absence is always asked of the database, and a commit checks again.
import type { TopicId } from '../core/ids.ts'
import type { Topic } from '../metadata/metadata-store.ts'

export class Catalog {
  readonly #byName = new Map<string, Topic>()
  readonly #byId = new Map<TopicId, Topic>()

  byName(name: string): Topic | undefined {
    return this.#byName.get(name)
  }

  byId(topicId: TopicId): Topic | undefined {
    return this.#byId.get(topicId)
  }

  /** What a primary read or a change answered. A topic under the same name replaces an older one with another id. */
  publish(topics: Iterable<Topic>): void {
    for (const topic of topics) {
      const former = this.#byName.get(topic.name)
      if (former !== undefined && former.topicId !== topic.topicId) this.#byId.delete(former.topicId)
      this.#byName.set(topic.name, topic)
      this.#byId.set(topic.topicId, topic)
    }
  }

  /** After a deletion, or when a commit answered that the topic is gone. */
  forget(topicId: TopicId): void {
    const topic = this.#byId.get(topicId)
    if (topic === undefined) return
    this.#byId.delete(topicId)
    if (this.#byName.get(topic.name)?.topicId === topicId) this.#byName.delete(topic.name)
  }

  /** After a primary read of all topics: what it did not name is gone. */
  replace(all: readonly Topic[]): void {
    this.#byName.clear()
    this.#byId.clear()
    this.publish(all)
  }
}
