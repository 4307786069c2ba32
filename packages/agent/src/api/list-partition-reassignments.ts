// ListPartitionReassignments answers that no partition is moving: records never move from one agent to another.
// - Versions: 0.
// - KIPs: 455.
import { ListPartitionReassignments } from '@local-kafka-service/protocol'
import { handler } from './handler.ts'

export const listPartitionReassignments = handler({
  api: ListPartitionReassignments,
  access: { operation: 'DESCRIBE', resource: 'cluster' },
  async handle() {
    return { kind: 'now', response: { throttleTimeMs: 0, errorCode: 0, errorMessage: null, topics: [] } }
  },
  reject: (_request, { code, message }) => ({ throttleTimeMs: 0, errorCode: code, errorMessage: message, topics: [] }),
})
