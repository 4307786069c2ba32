// The topics and groups that a request is about, in any field of its message.
import { expect, test } from 'vitest'
import type { TopicId } from '../core/ids.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import { requestNames } from './request-names.ts'

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'
const zero = 'AAAAAAAAAAAAAAAAAAAAAA'
const known: Topic = { topicId: topicId as TopicId, name: 'orders', partitions: 1, replicationFactor: 1, configs: {}, createdAtMs: 0 }
const sources = {
  catalog: { byId: (id: TopicId) => (id === topicId ? known : undefined) },
  fetchSessions: { topicsOf: (id: number) => ({ byId: id === 7, topics: new Set(id === 7 ? [topicId] : id === 8 ? ['by-name'] : []) }) },
}

test.each<[string, object, { readonly topics?: readonly string[]; readonly groups?: readonly string[] }]>([
  ['topics by name', { topicData: [{ name: 'a', partitionData: [] }, { name: 'b' }, { name: 'a' }] }, { topics: ['a', 'b'] }],
  ['a topic by its id, with an empty name', { topics: [{ topicId, name: '' }] }, { topics: ['orders'] }],
  ['an unknown id, and a zero id', { topics: [{ topicId: zero }, { topicId: 'AAAAAAAAAAAAAAAAAAAAAg' }] }, {}],
  ['a name that looks like an id', { topics: [{ name: topicId }] }, { topics: [topicId] }],
  ['names in a list', { topicNames: ['a', 'b'], subscribedTopicNames: ['c'] }, { topics: ['a', 'b', 'c'] }],
  ['a session by ids', { sessionId: 7, topics: [] }, { topics: ['orders'] }],
  ['a session by names', { sessionId: 8, topics: [{ topic: 'new' }] }, { topics: ['new', 'by-name'] }],
  ['a group, with topics', { groupId: 'g', topics: [{ name: 'a' }] }, { topics: ['a'], groups: ['g'] }],
  ['groups in a list', { groups: ['g', 'h'], groupsNames: ['i'] }, { groups: ['g', 'h', 'i'] }],
  [
    'groups with their topics',
    {
      groups: [
        { groupId: 'g', topics: [{ name: 'a' }] },
        { groupId: 'h', topics: null },
      ],
    },
    { topics: ['a'], groups: ['g', 'h'] },
  ],
  ['a coordinator of groups', { keyType: 0, key: '', coordinatorKeys: ['g', 'h'] }, { groups: ['g', 'h'] }],
  ['a coordinator of transactions', { keyType: 1, key: 't', coordinatorKeys: [] }, {}],
  [
    'configs of a topic and of a broker',
    {
      resources: [
        { resourceType: 2, resourceName: 'a' },
        { resourceType: 4, resourceName: '1' },
      ],
    },
    { topics: ['a'] },
  ],
  [
    'names that are of something else',
    { protocols: [{ name: 'range', metadata: new Uint8Array(4) }], topics: [{ name: 'a', configs: [{ name: 'x' }] }] },
    { topics: ['a'] },
  ],
])('%s', (_, body, { topics = [], groups = [] }) => {
  expect(requestNames(body, sources)).toEqual({ topics, groups })
})
