// The consumer protocol's blobs: those of real members byte for byte, malformed ones that Kafka tolerates, and ones that lie about their sizes.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DescribeGroups } from '../messages/describe-groups.ts'
import { JoinGroup } from '../messages/join-group.ts'
import { SyncGroup } from '../messages/sync-group.ts'
import { decodeRequest, decodeRequestHeader, decodeResponse } from '../wire/messages.ts'
import {
  type ConsumerAssignment,
  type ConsumerSubscription,
  consumerProtocolType,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from './consumer-protocol.ts'

const arbitraryTopics = fc.array(
  fc.record({ topic: fc.string({ unit: 'binary', maxLength: 60 }), partitions: fc.array(fc.integer(), { maxLength: 5 }) }),
  { maxLength: 4 },
)
const arbitraryUserData = fc.option(fc.oneof(fc.uint8Array({ maxLength: 30 }), fc.constant(new Uint8Array(3_000).fill(9))), { nil: null })

describe.each([0, 1, 2, 3])('version %i', (version) => {
  test('a subscription that was encoded decodes to itself, except for fields that the version lacks', () => {
    fc.assert(
      fc.property(
        fc.record<ConsumerSubscription>({
          topics: fc.array(fc.string({ unit: 'binary', maxLength: 60 }), { maxLength: 4 }),
          userData: arbitraryUserData,
          ownedPartitions: arbitraryTopics,
          generationId: fc.integer(),
          rackId: fc.option(fc.string({ unit: 'binary', maxLength: 20 }), { nil: null }),
        }),
        (subscription) => {
          const decoded = decodeSubscription(encodeSubscription(subscription, version))
          expect(decoded).toEqual({
            ...subscription,
            version,
            ownedPartitions: version >= 1 ? subscription.ownedPartitions : [],
            generationId: version >= 2 ? subscription.generationId : -1,
            rackId: version >= 3 ? subscription.rackId : null,
          })
        },
      ),
    )
  })

  test('an assignment that was encoded decodes to itself', () => {
    fc.assert(
      fc.property(fc.record<ConsumerAssignment>({ assignedPartitions: arbitraryTopics, userData: arbitraryUserData }), (assignment) => {
        expect(decodeAssignment(encodeAssignment(assignment, version))).toEqual({ ...assignment, version })
      }),
    )
  })

  test('C11: a subscription or an assignment that ends too early is decoded as far as it goes', () => {
    const subscription = encodeSubscription(aSubscription, version)
    const topicsEnd = 2 + 4 + (2 + 'orders'.length) + (2 + Buffer.byteLength('päckchen'))
    for (let length = 0; length < topicsEnd; length++) expect(() => decodeSubscription(subscription.subarray(0, length))).toThrow(rejected)
    const whole = decodeSubscription(subscription)
    for (let length = topicsEnd; length < subscription.length; length++) {
      const cut = decodeSubscription(subscription.subarray(0, length))
      expect(cut.topics).toEqual(aSubscription.topics)
      expect([whole.userData, null]).toContainEqual(cut.userData)
      expect([whole.ownedPartitions, []]).toContainEqual(cut.ownedPartitions)
      expect([whole.generationId, -1]).toContain(cut.generationId)
      expect(cut.rackId).toBeNull()
    }
    const assignment = encodeAssignment(anAssignment, version)
    const partitionsEnd = 2 + 4 + (2 + 'orders'.length) + (4 + 2 * 4)
    for (let length = 0; length < partitionsEnd; length++) expect(() => decodeAssignment(assignment.subarray(0, length))).toThrow(rejected)
    for (let length = partitionsEnd; length < assignment.length; length++)
      expect(decodeAssignment(assignment.subarray(0, length))).toEqual({ ...anAssignment, userData: null, version })
  })
})

test('a newer version is read as the newest known one, and the fields that it appends are skipped', () => {
  for (const version of [4, 0x7fff]) {
    expect(decodeSubscription(appended(encodeSubscription(aSubscription, 3), version))).toEqual({ ...aSubscription, version })
    expect(decodeAssignment(appended(encodeAssignment(anAssignment, 3), version))).toEqual({ ...anAssignment, version })
  }
})

test('bytes after a known version are skipped too, as in Kafka', () => {
  expect(decodeSubscription(appended(encodeSubscription(aSubscription, 1), 1))).toMatchObject({
    topics: aSubscription.topics,
    generationId: -1,
  })
  expect(decodeAssignment(appended(encodeAssignment(anAssignment, 0), 0))).toEqual({ ...anAssignment, version: 0 })
})

test('C11: a subscription of version 1 to 3 that ends after its user data is decoded', () => {
  for (const version of [1, 2, 3]) {
    const bytes = encodeSubscription(aSubscription, 0)
    bytes[1] = version
    expect(decodeSubscription(bytes)).toEqual({ ...aSubscription, ownedPartitions: [], generationId: -1, rackId: null, version })
  }
})

test('C11: after a field that cannot be read, no later field is read', () => {
  const claimsTooMuch = Uint8Array.of(0, 3, ...int32(0), ...int32(-1), ...int32(0x7fff_ffff), ...int32(7), 0, 1, 0x74)
  expect(decodeSubscription(claimsTooMuch)).toEqual({
    version: 3,
    topics: [],
    userData: null,
    ownedPartitions: [],
    generationId: -1,
    rackId: null,
  })
})

test('empty input and a negative version are rejected', () => {
  for (const decode of [decodeSubscription, decodeAssignment]) {
    expect(() => decode(new Uint8Array(0))).toThrow(rejected)
    expect(() => decode(new Uint8Array(20).fill(0xff))).toThrow(/-1 is not a valid version/)
  }
})

test('null is an error if Kafka does not allow it; null user data may have any negative length', () => {
  expect(() => decodeSubscription(version0(int32(-1), int32(-1)))).toThrow(/must not be null/)
  expect(() => decodeAssignment(version0(int32(-1), int32(-1)))).toThrow(/must not be null/)
  expect(() => decodeAssignment(version0(int32(1), topicT, int32(-1), int32(-1)))).toThrow(/must not be null/)
  expect(() => decodeSubscription(version0(int32(1), [0xff, 0xff], int32(-1)))).toThrow(rejected)
  expect(decodeSubscription(version0(int32(0), int32(-2))).userData).toBeNull()
  expect(decodeSubscription(version0(int32(0), int32(-1))).userData).toBeNull()
  expect(decodeSubscription(version0(int32(0), int32(0))).userData).toEqual(new Uint8Array(0))
})

test('an array that claims more elements than bytes are left is rejected before anything is allocated', () => {
  expect(() => decodeSubscription(version0(int32(0x7fff_ffff)))).toThrow(/array claims 2147483647 elements/)
  expect(() => decodeAssignment(version0(int32(0x7fff_ffff)))).toThrow(/array claims 2147483647 elements/)
  expect(() => decodeAssignment(version0(int32(1), topicT, int32(0x7fff_ffff)))).toThrow(/array claims 2147483647 elements/)
})

test('arbitrary bytes are a blob or a ProtocolError', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4 }), fc.uint8Array({ maxLength: 80 }), (version, noise) => {
      const bytes = Uint8Array.of(0, version, ...noise)
      for (const decode of [decodeSubscription, decodeAssignment]) {
        try {
          decode(bytes)
        } catch (error) {
          expect(error).toMatchObject({ name: 'ProtocolError' })
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('an unknown version cannot be encoded', () => {
  expect(() => encodeSubscription(aSubscription, 4)).toThrow(/not supported/)
  expect(() => encodeAssignment(anAssignment, -1)).toThrow(/not supported/)
})

test('every blob that a real member sent, or Kafka passed on, is decoded and encoded to the same bytes', () => {
  const seen = { subscriptions: new Set<string>(), assignments: new Set<string>() }
  for (const { client, subscriptions, assignments } of realBlobs()) {
    for (const bytes of subscriptions) {
      const { version, ...subscription } = decodeSubscription(bytes)
      expect(hex(encodeSubscription(subscription, version)), client).toBe(hex(bytes))
      expect(subscription.topics, client).toEqual(['gt'])
      seen.subscriptions.add(client)
    }
    for (const bytes of assignments) {
      const { version, ...assignment } = decodeAssignment(bytes)
      expect(hex(encodeAssignment(assignment, version)), client).toBe(hex(bytes))
      seen.assignments.add(client)
    }
  }
  const clients = [
    'groups-confluent-python.json',
    'groups-java.json',
    'groups-kafkajs.json',
    'groups-kcat.json',
    'groups-platformatic-kafka.json',
  ]
  expect([...seen.subscriptions].sort()).toEqual(clients)
  expect([...seen.assignments].sort()).toEqual(clients)
})

/** The topic name t. */
const topicT = [0, 1, 0x74]
const rejected = expect.objectContaining({ name: 'ProtocolError' })

const aSubscription: ConsumerSubscription = {
  topics: ['orders', 'päckchen'],
  userData: Uint8Array.of(1, 2, 3),
  ownedPartitions: [
    { topic: 'orders', partitions: [0, 2] },
    { topic: 'orders', partitions: [1] },
  ],
  generationId: 7,
  rackId: 'here',
}

const anAssignment: ConsumerAssignment = { assignedPartitions: [{ topic: 'orders', partitions: [0, 2] }], userData: Uint8Array.of(4) }

/** The blob with another version, and some bytes appended. */
function appended(bytes: Uint8Array, version: number): Uint8Array {
  const longer = Uint8Array.of(...bytes, 1, 2, 3, 4, 5)
  new DataView(longer.buffer).setInt16(0, version)
  return longer
}

function version0(...parts: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.of(0, 0, ...parts.flat())
}

function int32(value: number): readonly number[] {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff)
}

interface Blobs {
  readonly client: string
  readonly subscriptions: readonly Uint8Array[]
  readonly assignments: readonly Uint8Array[]
}

/** From the golden frames. Empty fields are left out: they belong to a member without partitions, or to a group that is not stable. */
function realBlobs(): readonly Blobs[] {
  const folder = join(import.meta.dirname, '../../test/golden')
  const names = readdirSync(folder).filter((name) => name.startsWith('groups-'))
  return names.flatMap((client) => {
    // The cast: our own files, whose frames the golden test decodes one by one.
    const frames = JSON.parse(readFileSync(join(folder, client), 'utf8')) as readonly {
      readonly api: number
      readonly version: number
      readonly direction: 'request' | 'response'
      readonly hex: string
    }[]
    return frames.map(({ api, version, direction, hex: text }) => {
      const { subscriptions, assignments } = blobsOf(api, version, direction, Buffer.from(text, 'hex'))
      return { client, subscriptions: subscriptions.filter(hasBytes), assignments: assignments.filter(hasBytes) }
    })
  })
}

function blobsOf(api: number, version: number, direction: 'request' | 'response', frame: Uint8Array): Omit<Blobs, 'client'> {
  if (api === JoinGroup.key && direction === 'request') {
    const { protocolType, protocols } = decodeRequest(JoinGroup, version, frame, decodeRequestHeader(frame).bodyAt)
    return { subscriptions: protocolType === consumerProtocolType ? protocols.map(({ metadata }) => metadata) : [], assignments: [] }
  }
  if (api === JoinGroup.key) {
    const { members } = decodeResponse(JoinGroup, version, frame).response
    return { subscriptions: members.map(({ metadata }) => metadata), assignments: [] }
  }
  if (api === SyncGroup.key && direction === 'request') {
    const { assignments } = decodeRequest(SyncGroup, version, frame, decodeRequestHeader(frame).bodyAt)
    return { subscriptions: [], assignments: assignments.map(({ assignment }) => assignment) }
  }
  if (api === SyncGroup.key) return { subscriptions: [], assignments: [decodeResponse(SyncGroup, version, frame).response.assignment] }
  if (api === DescribeGroups.key && direction === 'response') {
    const members = decodeResponse(DescribeGroups, version, frame).response.groups.flatMap((group) => group.members)
    return { subscriptions: members.map((member) => member.memberMetadata), assignments: members.map((member) => member.memberAssignment) }
  }
  return { subscriptions: [], assignments: [] }
}

function hasBytes(bytes: Uint8Array): boolean {
  return bytes.length > 0
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
