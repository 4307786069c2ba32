// What is advertised so that clients get a quick error: SASL on a listener without it, and the consumer protocol.
import {
  ApiVersions,
  ConsumerGroupHeartbeat,
  type ConsumerGroupHeartbeatRequest,
  SaslAuthenticate,
  SaslHandshake,
} from '@local-kafka-service/protocol'
import { type RequestRow, type RowOptions, rowsOf } from '../row.ts'
import { utf8 } from './parts.ts'

const handshakeRows = rowsOf(SaslHandshake, (row) => {
  for (const mechanism of ['PLAIN', 'SCRAM-SHA-512', '', 'no such mechanism'])
    row(`mechanism '${mechanism}', and then another request`, async (with_) => {
      await with_.send(SaslHandshake, { mechanism })
      await with_.sendFiltered(ApiVersions, {}, (response) => ({ ...response, apiKeys: [] }), { version: 0 })
    })
})

const authenticateRows = rowsOf(SaslAuthenticate, (row) => {
  const authenticates = (what: string, authBytes: Uint8Array): void =>
    row(what, async (with_) => {
      await with_.send(SaslAuthenticate, { authBytes })
      await with_.sendFiltered(ApiVersions, {}, (response) => ({ ...response, apiKeys: [] }), { version: 0 })
    })
  authenticates('a user and a password, and then another request', utf8('\0me\0secret'))
  authenticates('no bytes', new Uint8Array())
  row('after a handshake', async (with_) => {
    await with_.send(SaslHandshake, { mechanism: 'PLAIN' })
    await with_.send(SaslAuthenticate, { authBytes: utf8('\0me\0secret') })
  })
})

const heartbeatRows = rowsOf(ConsumerGroupHeartbeat, (row) => {
  const beats = (what: string, request: Partial<ConsumerGroupHeartbeatRequest>, options?: RowOptions): void =>
    row(
      what,
      async (with_) => {
        // A UUID of the client's own, as clients have sent since version 1.
        const joining = { memberId: 'a-member', memberEpoch: 0, rebalanceTimeoutMs: 60_000, topicPartitions: [] }
        await with_.send(ConsumerGroupHeartbeat, {
          groupId: with_.name(),
          ...joining,
          subscribedTopicNames: [with_.name('missing')],
          ...request,
        })
      },
      options,
    )
  beats('a member that joins', {})
  beats('a member that joins without an id', { memberId: '' })
  beats('the empty group', { groupId: '' })
  beats('a member of a group that is not there', { memberEpoch: 3 })
  beats('a member that leaves a group that is not there', { memberEpoch: -1 })
  beats('an assignor that does not exist', { serverAssignor: 'none' })
  beats('no topics', { subscribedTopicNames: null })
})

export const unservedTable: readonly RequestRow[] = [...handshakeRows, ...authenticateRows, ...heartbeatRows]
