// The cursor that decoders read with: it never reads beyond the bytes that are there, whatever length the sender claims.
import { limits } from '../limits.ts'
import { ProtocolError } from './protocol-error.ts'
import { elementsPerStep, fewElements } from './steps.ts'
import { uuidBytes, uuidText } from './uuid.ts'

// A byte order mark is a character like any other.
const text = new TextDecoder('utf-8', { ignoreBOM: true })
/** Below this, a loop over ASCII is quicker than the decoder's call. */
const shortText = 32

export class MessageReader {
  readonly bytes: Uint8Array
  readonly #view: DataView
  readonly #end: number
  #at: number
  #elements = 0
  /** Elements since the last step. Those of arrays that are read at once are at most `fewElements`, and count in advance. */
  #worked = 0

  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = at
    this.#end = end
  }

  get at(): number {
    return this.#at
  }

  get remaining(): number {
    return this.#end - this.#at
  }

  /** Throws a ProtocolError if bytes are left. */
  end(): void {
    if (this.#at !== this.#end) throw new ProtocolError(`${this.remaining} bytes are left over after the message`)
  }

  bool(): boolean {
    return this.int8() !== 0
  }
  int8(): number {
    return this.#view.getInt8(this.#take(1))
  }
  int16(): number {
    return this.#view.getInt16(this.#take(2))
  }
  uint16(): number {
    return this.#view.getUint16(this.#take(2))
  }
  int32(): number {
    return this.#view.getInt32(this.#take(4))
  }
  /** A number; throws a ProtocolError beyond 2^53. */
  int64(): number {
    const value = this.clamped64()
    if (value === Number.MAX_SAFE_INTEGER || value === -Number.MAX_SAFE_INTEGER) {
      throw new ProtocolError('an int64 is beyond 2^53, which no offset, id or timestamp of this server exceeds')
    }
    return value
  }
  /** For values that are only compared: a value beyond 2^53 becomes the nearest number that is not. */
  clamped64(): number {
    const at = this.#take(8)
    const value = this.#view.getInt32(at) * 0x1_0000_0000 + this.#view.getUint32(at + 4)
    if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER
    return value < -Number.MAX_SAFE_INTEGER ? -Number.MAX_SAFE_INTEGER : value
  }
  big64(): bigint {
    return this.#view.getBigInt64(this.#take(8))
  }
  float64(): number {
    return this.#view.getFloat64(this.#take(8))
  }
  uuid(): string {
    return uuidText(this.bytes, this.#take(uuidBytes))
  }

  /** An unsigned LEB128 number of at most 32 bits. */
  uvarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#view.getUint8(this.#take(1))
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break
        return value
      }
    }
    throw new ProtocolError('a varint is longer than 32 bits')
  }

  string(): string {
    return this.#text(this.int16())
  }
  /** Any negative length is null, as in Kafka. */
  nullableString(): string | null {
    const length = this.int16()
    return length < 0 ? null : this.#text(length)
  }
  compactString(): string {
    return this.#compactText(this.uvarint() - 1)
  }
  compactNullableString(): string | null {
    const length = this.uvarint() - 1
    return length === -1 ? null : this.#compactText(length)
  }

  /** A view of the message's own memory. */
  octets(): Uint8Array {
    return this.slice(this.int32())
  }
  /** Any negative length is null, as in Kafka. */
  nullableOctets(): Uint8Array | null {
    const length = this.int32()
    return length < 0 ? null : this.slice(length)
  }
  compactOctets(): Uint8Array {
    return this.slice(this.uvarint() - 1)
  }
  compactNullableOctets(): Uint8Array | null {
    const length = this.uvarint() - 1
    return length === -1 ? null : this.slice(length)
  }
  slice(length: number): Uint8Array {
    const at = this.#take(length)
    return this.bytes.subarray(at, at + length)
  }

  /** The length of an array whose elements take at least `elementBytes` each; -1 for null, which any negative length is, as in Kafka. */
  count(elementBytes: number): number {
    return this.#count(Math.max(-1, this.int32()), elementBytes)
  }
  compactCount(elementBytes: number): number {
    return this.#count(this.uvarint() - 1, elementBytes)
  }

  /** Whether an array that begins here is read in steps. */
  manyAhead(): boolean {
    return this.remaining >= 4 && this.#view.getInt32(this.#at) > fewElements
  }
  compactManyAhead(): boolean {
    // One byte holds lengths up to 126.
    return this.remaining >= 1 && this.#view.getUint8(this.#at) > fewElements + 1
  }

  /** One more element of an array was read. True: the step has had its elements. */
  worked(): boolean {
    this.#worked += 1
    if (this.#worked < elementsPerStep) return false
    this.#worked = 0
    return true
  }

  /** The number of tagged fields in the section that begins here. */
  tagCount(): number {
    const count = this.uvarint()
    if (count > limits.unknownTags)
      throw new ProtocolError(`a struct has ${count} tagged fields, and at most ${limits.unknownTags} are accepted`)
    return count
  }
  /** Where the tagged field that begins here ends. */
  tagEnd(): number {
    const size = this.uvarint()
    if (size > this.remaining) throw new ProtocolError(`a tagged field claims ${size} bytes, and only ${this.remaining} are left`)
    return this.#at + size
  }
  skipTo(at: number): void {
    this.#at = at
  }
  /** Ends a known tagged field: bytes after its contents are skipped, but the contents must not reach beyond the field's own size. */
  endTagged(end: number): void {
    if (this.#at > end) throw new ProtocolError('a tagged field is longer than its size')
    this.#at = end
  }
  skipTags(): void {
    for (let left = this.tagCount(); left > 0; left--) {
      this.uvarint()
      this.skipTo(this.tagEnd())
    }
  }

  #count(count: number, elementBytes: number): number {
    if (count < 0) return -1
    if (count * elementBytes > this.remaining) {
      throw new ProtocolError(`an array claims ${count} elements, and only ${this.remaining} bytes are left`)
    }
    this.#elements += count
    this.#worked += Math.min(count, fewElements)
    if (this.#elements > limits.elementsPerMessage)
      throw new ProtocolError(`a message has more than ${limits.elementsPerMessage} array elements`)
    return count
  }

  /** Like Kafka: no string is longer than one of the versions before flexible ones can be. */
  #compactText(length: number): string {
    if (length > 0x7fff) throw new ProtocolError(`a string claims ${length} bytes, and at most 32767 are accepted`)
    return this.#text(length)
  }

  #text(length: number): string {
    const at = this.#take(length)
    if (length <= shortText) {
      const { bytes } = this
      let ascii = ''
      let index = at
      // Eight at a time: building the string from single characters costs four times as much, and a request may name 100,000 topics.
      for (; index + 8 <= at + length; index += 8) {
        const [a = 0, b = 0, c = 0, d = 0] = [bytes[index], bytes[index + 1], bytes[index + 2], bytes[index + 3]]
        const [e = 0, f = 0, g = 0, h = 0] = [bytes[index + 4], bytes[index + 5], bytes[index + 6], bytes[index + 7]]
        if ((a | b | c | d | e | f | g | h) >= 0x80) return text.decode(bytes.subarray(at, at + length))
        ascii += String.fromCharCode(a, b, c, d, e, f, g, h)
      }
      for (; index < at + length; index++) {
        const unit = bytes[index] ?? 0
        if (unit >= 0x80) return text.decode(bytes.subarray(at, at + length))
        ascii += String.fromCharCode(unit)
      }
      return ascii
    }
    return text.decode(this.bytes.subarray(at, at + length))
  }

  #take(length: number): number {
    const at = this.#at
    if (length < 0 || length > this.#end - at)
      throw new ProtocolError(`a field claims ${length} bytes at byte ${at}, and ${this.#end - at} are left`)
    this.#at = at + length
    return at
  }
}

/** For decoders: throws for a null that the version does not allow. */
export function unexpectedNull(field: string): never {
  throw new ProtocolError(`${field} must not be null`)
}
