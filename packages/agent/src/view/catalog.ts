// The topics that this agent knows. It may be stale: only the database decides that a topic is absent, and a commit checks again.
import type { TopicId } from '../core/ids.ts'
import type { Topic } from '../metadata/metadata-store.ts'

export class Catalog {
  readonly #byName = new Map<string, Topic>()
  readonly #byId = new Map<TopicId, Topic>()
  #generation = 0

  /** Take it before a read that `publish` gets: what was read before a change by another agent is not kept. */
  get generation(): number {
    return this.#generation
  }

  byName(name: string): Topic | undefined {
    return this.#byName.get(name)
  }

  byId(topicId: TopicId): Topic | undefined {
    return this.#byId.get(topicId)
  }

  /** Adds the topics that a primary read or a change returned. A topic replaces an older one with the same name and another id. */
  publish(topics: Iterable<Topic>, generation: number): void {
    if (generation !== this.#generation) return
    for (const topic of topics) {
      const former = this.#byName.get(topic.name)
      if (former !== undefined && former.topicId !== topic.topicId) this.#byId.delete(former.topicId)
      this.#byName.set(topic.name, topic)
      this.#byId.set(topic.topicId, topic)
    }
  }

  /** Call it after a deletion, or when a commit reports that the topic does not exist. */
  forget(topicId: TopicId): void {
    const topic = this.#byId.get(topicId)
    if (topic === undefined) return
    this.#byId.delete(topicId)
    if (this.#byName.get(topic.name)?.topicId === topicId) this.#byName.delete(topic.name)
  }

  /** Call it after a primary read of all topics: topics that it did not return are removed. */
  replace(all: readonly Topic[], generation: number): void {
    if (generation !== this.#generation) return
    this.#byName.clear()
    this.#byId.clear()
    this.publish(all, generation)
  }

  /** Call it when another agent may have changed topics: each is read again when it is asked for. */
  clear(): void {
    this.#generation += 1
    this.#byName.clear()
    this.#byId.clear()
  }
}
