// Format 1, byte by byte against a golden file, and the reader's errors for objects that are cut off, changed, foreign or newer.
import { readFileSync } from 'node:fs'
import { crc32c } from '@local-kafka-service/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeObject, encodeObject, ObjectFormatError, type ObjectGroup, type ObjectIdentity } from './object-format.ts'
import { bytes } from './object-store.contract.ts'

/** `offset: hex # description`, one line for each field. */
function golden(file: string): Buffer {
  const lines = readFileSync(new URL(`./testing/golden/${file}`, import.meta.url), 'utf8').split('\n')
  const fields = lines.flatMap((line) => /^ *(\d+): ([0-9a-f]+) *#/.exec(line)?.slice(1, 3) ?? [])
  let object = Buffer.alloc(0)
  for (let at = 0; at < fields.length; at += 2) {
    expect(object.length, 'the golden file counts its own offsets').toBe(Number(fields[at]))
    object = Buffer.concat([object, Buffer.from(fields[at + 1] ?? '', 'hex')])
  }
  return object
}

const identity: ObjectIdentity = {
  clusterId: '0b3c1f7e-8f6a-4c55-9d0e-1a2b3c4d5e6f',
  incarnation: { id: 19_088_743, nonce: 'fedcba9876543210' },
  sequence: 4_294_967_303,
}
const groups: readonly ObjectGroup[] = [
  { topicId: 'AAECAwQFBgcICQoLDA0ODw', partition: 0, epoch: 3, chunks: [bytes('first batch'), bytes('second')], batches: 2 },
  { topicId: '_____________________w', partition: 99, epoch: -1, chunks: [Uint8Array.of(0, 255)], batches: 1 },
]

test('an object of format 1 is written as in the golden file', () => {
  const object = golden('object-format-1.hex')
  const { chunks, sizeBytes, checksum, starts } = encodeObject({ ...identity, groups }, crc32c)
  expect(Buffer.concat(chunks).toString('hex')).toBe(object.toString('hex'))
  expect(sizeBytes).toBe(object.length)
  expect(checksum).toBe(object.readUInt32BE(object.length - 12))
  expect(starts).toEqual([56, 73])
})

test('the golden file of format 1 stays readable', () => {
  const { groups: read, ...head } = decodeObject(golden('object-format-1.hex'), crc32c)
  expect(head).toMatchObject({ ...identity, formatVersion: 1, minimumReader: 1 })
  expect(read.map(({ bytes: content, ...group }) => ({ ...group, content: Buffer.from(content).toString('latin1') }))).toEqual([
    { topicId: 'AAECAwQFBgcICQoLDA0ODw', partition: 0, epoch: 3, batches: 2, byteStart: 56, content: 'first batchsecond' },
    { topicId: '_____________________w', partition: 99, epoch: -1, batches: 1, byteStart: 73, content: '\0\xff' },
  ])
})

test('batches are referenced, not copied', () => {
  const { chunks } = encodeObject({ ...identity, groups }, crc32c)
  for (const chunk of groups.flatMap((group) => group.chunks)) expect(chunks.filter((one) => one === chunk)).toHaveLength(1)
})

test('every changed or lost byte is detected', () => {
  const object = golden('object-format-1.hex')
  for (let at = 0; at < object.length; at += 1) {
    const changed = Buffer.from(object)
    changed[at] = (changed[at] ?? 0) ^ 0x10
    expect(() => decodeObject(changed, crc32c), `byte ${at} changed`).toThrow(ObjectFormatError)
    expect(() => decodeObject(object.subarray(0, at), crc32c), `cut off at ${at}`).toThrow(ObjectFormatError)
  }
  expect(() => decodeObject(Buffer.concat([object, Buffer.alloc(1)]), crc32c)).toThrow(ObjectFormatError)
})

test('a foreign object, one for newer readers and a damaged one have reasons of their own', () => {
  const object = golden('object-format-1.hex')
  const newer = Buffer.from(object)
  newer.writeUInt16BE(2, 8)
  newer.writeUInt16BE(2, 10)
  const damaged = Buffer.from(object)
  damaged[60] = 0
  for (const [reason, bad] of [
    ['foreign', Buffer.from('<?xml version="1.0"?><Error/>')],
    ['foreign', Buffer.alloc(0)],
    ['newer', newer],
    ['damaged', damaged],
    ['damaged', object.subarray(0, -1)],
  ] as const)
    expect(() => decodeObject(bad, crc32c)).toThrow(expect.objectContaining({ name: 'ObjectFormatError', reason }))
})

test('a newer format that this reader may read is read', () => {
  const object = golden('object-format-1.hex')
  object.writeUInt16BE(7, 8)
  const indexStart = Number(object.readBigUInt64BE(object.length - 28))
  const indexed = Buffer.concat([object.subarray(0, 56), object.subarray(indexStart, -16)])
  object.writeUInt32BE(crc32c(indexed), object.length - 16)
  object.writeUInt32BE(crc32c(object.subarray(0, -12)), object.length - 12)
  expect(decodeObject(object, crc32c)).toMatchObject({ formatVersion: 7, minimumReader: 1, ...identity })
})

test('an index that leaves a gap is damaged, even if every checksum matches', () => {
  const object = golden('object-format-1.hex')
  const indexStart = Number(object.readBigUInt64BE(object.length - 28))
  object.writeBigUInt64BE(57n, indexStart + 24)
  object.writeUInt32BE(crc32c(Buffer.concat([object.subarray(0, 56), object.subarray(indexStart, -16)])), object.length - 16)
  object.writeUInt32BE(crc32c(object.subarray(0, -12)), object.length - 12)
  expect(() => decodeObject(object, crc32c)).toThrow(/gap or overlaps/)
})

test('numbers that do not fit are rejected at writing', () => {
  const [group] = groups
  for (const bad of [
    { ...identity, clusterId: 'short', groups },
    { ...identity, incarnation: { id: 1, nonce: 'abc' }, groups },
    { ...identity, sequence: -1, groups },
    { ...identity, groups: [{ topicId: 'AAECAwQ', partition: 0, epoch: 0, batches: 1, chunks: group?.chunks ?? [] }] },
    { ...identity, groups: [{ topicId: group?.topicId ?? '', partition: 2 ** 31, epoch: 0, batches: 1, chunks: [] }] },
  ])
    expect(() => encodeObject(bad, crc32c)).toThrow(RangeError)
})

test('a written object is read back', () => {
  const anyGroup = fc.record({
    topicId: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((id) => Buffer.from(id).toString('base64url')),
    partition: fc.nat(),
    epoch: fc.nat(),
    batches: fc.nat(),
    chunks: fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 4 }),
  })
  fc.assert(
    fc.property(fc.array(anyGroup, { maxLength: 5 }), fc.nat({ max: Number.MAX_SAFE_INTEGER }), (written, sequence) => {
      const { chunks, starts } = encodeObject({ ...identity, sequence, groups: written }, crc32c)
      const read = decodeObject(Buffer.concat(chunks), crc32c)
      expect(read).toMatchObject({ ...identity, sequence })
      expect(read.groups.map(({ byteStart }) => byteStart)).toEqual(starts)
      expect(read.groups.map(({ topicId, partition, epoch, batches }) => ({ topicId, partition, epoch, batches }))).toEqual(
        written.map(({ topicId, partition, epoch, batches }) => ({ topicId, partition, epoch, batches })),
      )
      expect(read.groups.map(({ bytes: content }) => Buffer.from(content).toString('hex'))).toEqual(
        written.map(({ chunks: parts }) => Buffer.concat(parts).toString('hex')),
      )
    }),
  )
})
