// What surrounds a request: bytes after its end, unknown tagged fields, null in place of a list, versions that are not served, and clients without a client id.
import {
  type Api,
  ApiVersions,
  apis,
  CreateTopics,
  DescribeGroups,
  ListGroups,
  ListOffsets,
  ListTransactions,
} from '@local-kafka-service/protocol'
import { smallRequests } from '../../../../packages/agent/src/api/testing/small-requests.ts'
import type { Conversation, SendOptions } from '../conversation.ts'
import { type RequestRow, rowsOf } from '../row.ts'

function wireRows(api: Api): readonly RequestRow[] {
  const small = smallRequests.get(api)
  if (small === undefined) return []
  const request = (with_: Conversation): object => small({ version: with_.version, name: with_.name(), memberId: 'nobody' })
  // ListGroups and ListTransactions answer with what all rows have made, and none of it is this row's.
  const ownOf = <R extends object>(response: R): R =>
    api === ListGroups ? { ...response, groups: [] } : api === ListTransactions ? { ...response, transactionStates: [] } : response
  return rowsOf(api, (row) => {
    const sends = (sending: SendOptions) => async (with_: Conversation) => {
      await with_.sendFiltered(api, request(with_), ownOf, sending)
      // The connection goes on.
      await with_.sendFiltered(api, request(with_), ownOf)
    }
    row('bytes after the end of the request', sends({ trailing: Uint8Array.of(1, 2, 3) }))
    row('no client id', sends({ clientId: null }))
    row('the empty client id', sends({ clientId: '' }))
    if (api.flexible !== 'never') {
      const versions = `${api.flexible}+` as const
      row('a tagged field that no version has, in the header', sends({ unknownTag: 'header' }), { versions })
      row('a tagged field that no version has, in the body', sends({ unknownTag: 'body' }), { versions })
    }
    const [oldest, newest] = api.versions
    // Kafka and this server advertise versions of Produce that they do not serve.
    const older = Array.from({ length: oldest - (api.advertised?.[0] ?? oldest - 1) }, (_, index) => oldest - 1 - index)
    for (const claims of [...older, newest + 1, 32_767]) {
      // An ApiVersions request that is too new is answered, in a row of its own.
      if (api !== ApiVersions && claims >= 0) row(`version ${claims}`, sends({ claims }), { versions: `${newest}` })
    }
  })
}

/** In classic versions a null list is a count of -1, in flexible ones a count of 0. */
const nullLists = rowsOf(CreateTopics, (row) => {
  row('null topics', async (with_) => {
    const nothing = with_.version >= 5 ? [0, 0, 0, 0, 0, 0, 0] : [255, 255, 255, 255, 0, 0, 0, 0, 0]
    await with_.send(CreateTopics, { topics: [] }, { body: Uint8Array.from(nothing) })
  })
  row('a list that claims more topics than there are bytes', async (with_) => {
    const nothing = with_.version >= 5 ? [200, 1, 0, 0, 0, 0, 0, 0] : [0, 0, 0, 200, 0, 0, 0, 0, 0]
    await with_.send(CreateTopics, { topics: [] }, { body: Uint8Array.from(nothing) })
  })
  row('an empty body', async (with_) => {
    await with_.send(CreateTopics, { topics: [] }, { body: new Uint8Array() })
  })
})

const nullGroups = rowsOf(DescribeGroups, (row) => {
  row('null groups', async (with_) => {
    const body = with_.version >= 5 ? [0, 0, 0] : [255, 255, 255, 255, 0]
    await with_.send(DescribeGroups, { groups: [] }, { body: Uint8Array.from(with_.version < 3 ? body.slice(0, 4) : body) })
  })
})

const nullOffsets = rowsOf(ListOffsets, (row) => {
  row('null topics', async (with_) => {
    const { version } = with_
    const replica = [255, 255, 255, 255]
    const isolation = version >= 2 ? [0] : []
    const topics = version >= 6 ? [0] : [255, 255, 255, 255]
    const rest = [...(version >= 10 ? [0, 0, 0, 0] : []), ...(version >= 6 ? [0] : [])]
    await with_.send(ListOffsets, { replicaId: -1, topics: [] }, { body: Uint8Array.from([...replica, ...isolation, ...topics, ...rest]) })
  })
})

export const wireTable: readonly RequestRow[] = [...[...apis.values()].flatMap(wireRows), ...nullLists, ...nullGroups, ...nullOffsets]
