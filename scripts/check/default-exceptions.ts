// Where the agent's code has a default without a comment: absence has this meaning there. Prefer an assertion or a comment to a new row.
import type { LineException } from './exceptions.ts'

const agent = 'packages/agent/src'
const wire = "Kafka's value for none"
const allTopics = 'null asks for no single topic'
const absentRow = 'a group without this value'

export const defaultExceptions: readonly LineException[] = [
  { path: `${agent}/api/brokers.ts`, line: 'leader ?? -1', why: wire },
  { path: `${agent}/api/describe-topic-partitions.ts`, line: 'leader ?? -1', why: wire },
  { path: `${agent}/api/join-group.ts`, line: "client.id ?? ''", why: wire },
  { path: `${agent}/api/metadata.ts`, line: 'topics ?? []', why: allTopics },
  { path: `${agent}/api/metadata.ts`, line: 'leader ?? -1', why: wire },
  { path: `${agent}/api/offsets-to-commit.ts`, line: "committedMetadata ?? ''", why: wire },
  { path: `${agent}/api/offset-fetch.ts`, line: 'topics ?? []', why: allTopics },
  { path: `${agent}/api/produce.ts`, line: 'logStartOffset) ?? -1', why: wire },
  { path: `${agent}/api/rejection.ts`, line: "message ?? ''", why: wire },
  { path: `${agent}/write/writer.ts`, line: 'logStartOffset ?? -1', why: wire },
  { path: `${agent}/write/writer.ts`, line: 'stamp ?? -1', why: wire },
  { path: `${agent}/coordinate/groups.ts`, line: "protocolType ?? ''", why: absentRow },
  { path: `${agent}/coordinate/stored-groups.ts`, line: "protocolType ?? ''", why: absentRow },
  { path: `${agent}/core/group/describe.ts`, line: "protocolType ?? ''", why: absentRow },
  { path: `${agent}/core/group/describe.ts`, line: "protocolName ?? ''", why: absentRow },
  { path: `${agent}/core/group/describe.ts`, line: 'generation ?? -1', why: absentRow },
  { path: `${agent}/core/group/describe.ts`, line: "leader ?? ''", why: absentRow },
  { path: `${agent}/core/group/join-group.ts`, line: "leader ?? ''", why: absentRow },
  { path: `${agent}/core/group/leave-group.ts`, line: "holder ?? ''", why: 'an unknown member has no id' },
  { path: `${agent}/metadata/schema.ts`, line: 'version ?? 0', why: 'a database without tables' },
  { path: `${agent}/metadata/snapshot.ts`, line: '.get() ?? {}', why: 'a pragma without a row has no value' },
  { path: `${agent}/net/tcp.ts`, line: 'remotePort ?? 0', why: 'a socket that is closed already has no address' },
  { path: `${agent}/net/tcp.ts`, line: 'localPort ?? 0', why: 'a socket that is closed already has no address' },
  { path: `${agent}/objects/adapters/directory.ts`, line: 'range?.start ?? 0', why: 'no range is the whole object' },
  { path: `${agent}/objects/adapters/file-errors.ts`, line: "code ?? ''", why: 'an error without a code' },
  { path: `${agent}/objects/adapters/s3.ts`, line: 'page.Contents ?? []', why: 'S3 leaves an empty list out' },
  { path: `${agent}/objects/adapters/s3.ts`, line: 'match?.[1] ?? 0', why: 'an answer without a range is the whole object' },
  { path: `${agent}/objects/wrappers/around.ts`, line: "keys[0] ?? ''", why: 'a removal of nothing has no key' },
  { path: `${agent}/objects/wrappers/read-blocks.ts`, line: '?.values() ?? []', why: 'an object without cached blocks' },
  { path: `${agent}/objects/wrappers/read-blocks.ts`, line: 'places ?? []', why: 'an object without cached blocks' },
  { path: `${agent}/operations/record-places.ts`, line: 'undefined) ?? 0', why: 'a partition that was added later begins at 0' },
  { path: `${agent}/operations/record-query.ts`, line: 'firstPartition ?? 0', why: 'a query without a cursor begins at partition 0' },
  { path: `${agent}/operations/record-query.ts`, line: 'positions[index] ?? 0', why: 'a partition that was added later begins at 0' },
  { path: `${agent}/operations/record-query.ts`, line: 'ends[index] ?? 0', why: 'a partition that was added later ends at 0' },
  { path: `${agent}/optional-package.ts`, line: 'left[at] ?? 0', why: 'a part that a version leaves out is 0' },
  { path: `${agent}/read/sessions.ts`, line: '?.partitions.values() ?? []', why: 'a new session has no partitions' },
  { path: `${agent}/health.ts`, line: 'storeMeters?.() ?? []', why: 'parts without meters' },
  { path: `${agent}/agent.ts`, line: 'first?.port ?? 0', why: 'an agent without a listener' },
]
