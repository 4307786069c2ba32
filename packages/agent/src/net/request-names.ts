// Finds the topics and groups that a request is about, by the field names that Kafka's messages share.
import { zeroUuid } from '@local-kafka-service/protocol'
import type { TopicId } from '../core/ids.ts'
import type { FetchSessions } from '../read/sessions.ts'
import type { Catalog } from '../view/catalog.ts'

export interface RequestNames {
  readonly topics: readonly string[]
  readonly groups: readonly string[]
}

export interface NameSources {
  readonly catalog: Pick<Catalog, 'byId'>
  readonly fetchSessions: Pick<FetchSessions, 'topicsOf'>
}

/** In the order of the request, without duplicates. Ids that the catalog does not know are left out. */
export function requestNames(body: object, { catalog, fetchSessions }: NameSources): RequestNames {
  const topics = new Set<string>()
  const groups = new Set<string>()
  const found: FoundNames = {
    topic: (name) => void topics.add(name),
    topicId(id) {
      // The cast is safe: every string is a valid key for the catalog.
      const name = catalog.byId(id as TopicId)?.name
      if (name !== undefined) topics.add(name)
    },
    group: (id) => void groups.add(id),
  }
  visit(body, '', found)
  // An incremental fetch names only what changed; it is about all topics of its session.
  if ('sessionId' in body && typeof body.sessionId === 'number' && body.sessionId !== 0) {
    const session = fetchSessions.topicsOf(body.sessionId)
    for (const topic of session.topics) {
      if (session.byId) found.topicId(topic)
      else found.topic(topic)
    }
  }
  return { topics: [...topics], groups: [...groups] }
}

interface FoundNames {
  topic(name: string): void
  topicId(id: string): void
  group(id: string): void
}

const topicArrays: ReadonlySet<string> = new Set(['topics', 'topicData', 'forgottenTopicsData', 'topicPartitions'])
const topicFields: ReadonlySet<string> = new Set(['topic', 'topicName', 'topicNames', 'subscribedTopicNames'])
const groupFields: ReadonlySet<string> = new Set(['groupId', 'groupIds', 'groupsNames', 'groups'])
/** Kafka's types of a ConfigResource, and the key type of FindCoordinator, for topics and groups. */
const topicResource = 2
const groupResource = 32
const groupKey = 0

/** `within` is the array that contains `value`. */
function visit(value: object, within: string, found: FoundNames): void {
  if (ArrayBuffer.isView(value)) return
  for (const [field, inner] of Object.entries(value)) {
    if (typeof inner === 'string') visitText(inner, field === 'name' ? within : field, found)
    else if (Array.isArray(inner)) {
      for (const element of inner) {
        if (typeof element === 'string') visitText(element, field, found)
        else if (typeof element === 'object' && element !== null) visit(element, field, found)
      }
    } else if (typeof inner === 'object' && inner !== null) visit(inner, '', found)
  }
  visitTyped(value, found)
}

/** `field` is the field of the text; for a `name`, it is the array of the things that have it. */
function visitText(value: string, field: string, found: FoundNames): void {
  if (value === '') return
  if (topicFields.has(field) || topicArrays.has(field)) found.topic(value)
  else if (groupFields.has(field)) found.group(value)
  else if (field === 'topicId' && value !== zeroUuid) found.topicId(value)
}

/** DescribeConfigs and FindCoordinator have a number for the type of their names. */
function visitTyped(value: object, found: FoundNames): void {
  if ('resourceType' in value && 'resourceName' in value && typeof value.resourceName === 'string') {
    if (value.resourceType === topicResource) found.topic(value.resourceName)
    if (value.resourceType === groupResource) found.group(value.resourceName)
  }
  if ('keyType' in value && value.keyType === groupKey) {
    if ('key' in value && typeof value.key === 'string' && value.key !== '') found.group(value.key)
    if ('coordinatorKeys' in value && Array.isArray(value.coordinatorKeys))
      for (const key of value.coordinatorKeys) if (typeof key === 'string') found.group(key)
  }
}
