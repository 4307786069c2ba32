// Bytes with false lengths and values are rejected before anything is allocated for them.
import { expect, test } from 'vitest'
import {
  CreateTopics,
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  Fetch,
  ListGroups,
  ListOffsets,
  Metadata,
  Produce,
  ProtocolError,
  zeroUuid,
} from '../src/index.ts'
import { limits } from '../src/limits.ts'
import { MessageReader } from '../src/wire/reader.ts'
import { MessageWriter } from '../src/wire/writer.ts'

test('an array that claims more elements than bytes are left is rejected before anything is allocated', () => {
  const claim = new MessageWriter()
  claim.int32(0x7fff_ffff)
  expect(() => decodeRequest(Metadata, 1, bytesOf(claim), 0)).toThrow(/array claims 2147483647 elements/)
})

test('C1: any negative length is null, as in Kafka, and an error if the version does not allow null', () => {
  const claim = new MessageWriter()
  claim.int32(-2)
  expect(decodeRequest(Metadata, 1, bytesOf(claim), 0)).toMatchObject({ topics: null })
  expect(() => decodeRequest(Metadata, 0, bytesOf(claim), 0)).toThrow(/topics must not be null/)
  expect(new MessageReader(Uint8Array.of(0xff, 0xfe)).nullableString()).toBeNull()
  expect(new MessageReader(Uint8Array.of(0xff, 0xff, 0xff, 0x80)).nullableOctets()).toBeNull()
})

test('null is rejected if the version does not allow it', () => {
  const claim = new MessageWriter()
  claim.int32(-1)
  expect(() => decodeRequest(Metadata, 0, bytesOf(claim), 0)).toThrow(/topics must not be null/)
  expect(decodeRequest(Metadata, 1, bytesOf(claim), 0)).toMatchObject({ topics: null })
})

test('more array elements than the limit are rejected, however few bytes each takes', () => {
  const names = new MessageWriter()
  names.int32(limits.elementsPerMessage + 1)
  for (let left = limits.elementsPerMessage + 1; left > 0; left--) names.string('')
  expect(() => decodeRequest(Metadata, 1, bytesOf(names), 0)).toThrow(/array elements/)
})

test('a string that claims more bytes than are left is rejected', () => {
  for (const length of [0x7fff, -2]) {
    const claim = new MessageWriter()
    claim.int32(1)
    claim.int16(length)
    expect(() => decodeRequest(Metadata, 0, bytesOf(claim), 0)).toThrow(ProtocolError)
  }
})

test('a compact string is no longer than any other string', () => {
  const claim = new MessageWriter()
  claim.uvarint(0x8000 + 1)
  claim.raw(new Uint8Array(0x8000))
  expect(() => new MessageReader(bytesOf(claim)).compactString()).toThrow(/claims 32768 bytes/)
  expect(() => new MessageReader(bytesOf(claim)).compactNullableString()).toThrow(/claims 32768 bytes/)
  expect(() => new MessageWriter().compactString('n'.repeat(0x8000))).toThrow(/32768 bytes exceeds/)
})

test('an error message that quotes a very long name is cut, so that its answer can be sent', () => {
  const name = 'ü'.repeat(16_383)
  for (const version of CreateTopics.versions) {
    const topics = [{ name, errorCode: 17, errorMessage: `'${name}${name}' is not a valid name` }]
    const frame = Buffer.concat(encodeResponse(CreateTopics, version, 1, { throttleTimeMs: 0, topics })).subarray(4)
    const [topic] = decodeResponse(CreateTopics, version, frame).response.topics
    expect(topic).toMatchObject({ name, errorMessage: `'${'ü'.repeat(9_999)}…` })
  }
})

test('a varint that never ends is rejected', () => {
  expect(() => new MessageReader(new Uint8Array(20).fill(0xff)).uvarint()).toThrow(/longer than 32 bits/)
  expect(() => new MessageReader(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x1f)).uvarint()).toThrow(/longer than 32 bits/)
  expect(new MessageReader(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f)).uvarint()).toBe(0xffff_ffff)
})

test('C1: a request of librdkafka 2.16 for all topics, with three bytes after the message, is decoded', () => {
  const allTopics = Uint8Array.of(0, 0, 0, 0, 1, 0, 0)
  expect(decodeRequest(Metadata, 13, allTopics, 0)).toMatchObject({ topics: null, allowAutoTopicCreation: false })
})

test('bytes after a response are an error: only a defect of a server can send them', () => {
  const frame = Buffer.concat([...encodeResponse(ListGroups, 0, 1, { errorCode: 0, groups: [] }), Uint8Array.of(0)]).subarray(4)
  expect(() => decodeResponse(ListGroups, 0, frame)).toThrow(/left over/)
})

test('unknown tagged fields are skipped, in the header and in the body', () => {
  const frame = new MessageWriter()
  frame.int16(Metadata.key)
  frame.int16(9)
  frame.int32(5)
  frame.nullableString('me')
  unknownTag(frame)
  frame.compactCount(0)
  frame.bool(true)
  frame.bool(false)
  frame.bool(false)
  unknownTag(frame)
  const bytes = bytesOf(frame)
  const { bodyAt, clientId } = decodeRequestHeader(bytes)
  expect(clientId).toBe('me')
  expect(decodeRequest(Metadata, 9, bytes, bodyAt)).toMatchObject({ topics: [], allowAutoTopicCreation: true })
})

test('C1: bytes after the contents of a tagged field are skipped; contents beyond its size are an error', () => {
  const body = (size: number): Uint8Array => {
    const writer = new MessageWriter()
    writer.int32(0) // maxWaitMs
    writer.int32(0)
    writer.int32(0)
    writer.int8(0)
    writer.int32(0)
    writer.int32(-1)
    writer.compactCount(0)
    writer.compactCount(0)
    writer.compactString('')
    writer.uvarint(1)
    writer.uvarint(1) // replicaState
    writer.uvarint(size)
    writer.int32(-1)
    writer.int64(-1)
    writer.uvarint(0)
    writer.raw(Uint8Array.of(9, 9, 9))
    return bytesOf(writer)
  }
  expect(decodeRequest(Fetch, 15, body(13), 0)).toMatchObject({ replicaState: { replicaId: -1, replicaEpoch: -1 } })
  expect(() => decodeRequest(Fetch, 15, body(12), 0)).toThrow(ProtocolError)
  expect(decodeRequest(Fetch, 15, body(16), 0)).toMatchObject({ replicaState: { replicaId: -1, replicaEpoch: -1 } })
  expect(() => decodeRequest(Fetch, 15, body(17), 0)).toThrow(ProtocolError)
})

test('an offset beyond 2^53 is compared as the largest number; an id beyond it is rejected', () => {
  const asked = { replicaId: -1, topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: 0 }] }] }
  const frame = Buffer.concat(encodeRequest(ListOffsets, { version: 1, correlationId: 1, clientId: null }, asked)).subarray(4)
  frame.writeBigInt64BE(2n ** 63n - 1n, frame.length - 8)
  const { bodyAt } = decodeRequestHeader(frame)
  expect(decodeRequest(ListOffsets, 1, frame, bodyAt).topics[0]?.partitions[0]?.timestamp).toBe(Number.MAX_SAFE_INTEGER)
  expect(() => new MessageReader(frame, frame.length - 8).int64()).toThrow(/2\^53/)
})

test('a version that the API does not have is rejected in both directions', () => {
  expect(() => decodeRequest(Produce, 2, new Uint8Array(50), 0)).toThrow(/not supported/)
  expect(() => encodeRequest(Produce, { version: 99, correlationId: 1, clientId: null }, { acks: 0, timeoutMs: 0, topicData: [] })).toThrow(
    /not supported/,
  )
})

test('a value that its version cannot carry is rejected unless it may be dropped', () => {
  const forgetting = { sessionId: 7, maxWaitMs: 0, minBytes: 0, topics: [], forgottenTopicsData: [{ partitions: [1] }] }
  expect(() => encodeRequest(Fetch, { version: 4, correlationId: 1, clientId: null }, forgetting)).toThrow(
    /cannot carry Fetch.request.forgottenTopicsData/,
  )
  const answer = { index: 0, errorCode: 0, baseOffset: 0, errorMessage: 'words', currentLeader: { leaderId: 1, leaderEpoch: 1 } }
  const frame = Buffer.concat(encodeResponse(Produce, 3, 1, { responses: [{ partitionResponses: [answer] }] })).subarray(4)
  expect(decodeResponse(Produce, 3, frame).response.responses[0]?.partitionResponses[0]).toMatchObject({
    errorMessage: null,
    currentLeader: { leaderId: -1 },
  })
})

test('encoding rejects numbers outside the range of their type', () => {
  const writer = new MessageWriter()
  expect(() => writer.int8(128)).toThrow(ProtocolError)
  expect(() => writer.int16(1.5)).toThrow(ProtocolError)
  expect(() => writer.int32(2 ** 31)).toThrow(ProtocolError)
  expect(() => writer.int64(2 ** 53)).toThrow(ProtocolError)
  expect(() => writer.uuid('short')).toThrow(ProtocolError)
})

function unknownTag(writer: MessageWriter): void {
  writer.uvarint(1)
  writer.uvarint(4_000)
  writer.uvarint(3)
  writer.raw(Uint8Array.of(1, 2, 3))
}

function bytesOf(writer: MessageWriter): Uint8Array {
  return Buffer.concat(writer.finish())
}

test('a full writer grows before every kind of write', () => {
  const writes: Readonly<Record<string, (writer: MessageWriter) => void>> = {
    bool: (writer) => writer.bool(true),
    int8: (writer) => writer.int8(1),
    int16: (writer) => writer.int16(1),
    uint16: (writer) => writer.uint16(1),
    int32: (writer) => writer.int32(1),
    int64: (writer) => writer.int64(1),
    big64: (writer) => writer.big64(1n),
    float64: (writer) => writer.float64(1),
    uuid: (writer) => writer.uuid(zeroUuid),
    uvarint: (writer) => writer.uvarint(300),
    string: (writer) => writer.string('näh'),
    compactString: (writer) => writer.compactString('näh'),
    octets: (writer) => writer.octets(Uint8Array.of(1, 2)),
  }
  for (const [name, write] of Object.entries(writes)) {
    const alone = new MessageWriter()
    write(alone)
    const expected = bytesOf(alone)
    // Write around the end of a writer's first 256 bytes.
    for (let filled = 240; filled <= 256; filled++) {
      const full = new MessageWriter()
      for (let left = filled; left > 0; left--) full.int8(7)
      write(full)
      expect(bytesOf(full).subarray(filled), `${name} after ${filled} bytes`).toEqual(expected)
    }
  }
})
