// The writer that encoders use: it copies small fields into its own memory and keeps large ones by reference.
import { ProtocolError } from './protocol-error.ts'
import { charactersPerElement, elementsPerStep, fewElements } from './steps.ts'
import { uuidBytes, writeUuid } from './uuid.ts'

const utf8 = new TextEncoder()
const firstBytes = 256
/** Below this a copy is cheaper than one more chunk to send. */
const copyBelowBytes = 1024
/** Above this number of characters the system's encoder is faster, although it needs a view of the memory. */
const longText = 128

export class MessageWriter {
  readonly #chunks: Uint8Array[] = []
  #buffer: Uint8Array
  #view: DataView
  /** The start of the bytes that are not in `#chunks` yet. */
  #from = 0
  #at = 0
  #chunkBytes = 0
  /** As in the reader. */
  #worked = 0

  constructor() {
    this.#buffer = firstMemory()
    this.#view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, firstBytes)
  }

  get sizeBytes(): number {
    return this.#chunkBytes + this.#at - this.#from
  }

  /** Everything that was written, in order. The caller must not write afterwards. */
  finish(): Uint8Array[] {
    this.#cut()
    return this.#chunks
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0)
  }
  int8(value: number): void {
    const at = this.#room(1)
    this.#view.setInt8(at, whole(value, -0x80, 0x7f))
  }
  int16(value: number): void {
    const at = this.#room(2)
    this.#view.setInt16(at, whole(value, -0x8000, 0x7fff))
  }
  uint16(value: number): void {
    const at = this.#room(2)
    this.#view.setUint16(at, whole(value, 0, 0xffff))
  }
  int32(value: number): void {
    const at = this.#room(4)
    this.#view.setInt32(at, whole(value, -0x8000_0000, 0x7fff_ffff))
  }
  int64(value: number): void {
    if (!Number.isSafeInteger(value)) throw new ProtocolError(`${value} is not an integer within 2^53`)
    const at = this.#room(8)
    this.#view.setInt32(at, Math.floor(value / 0x1_0000_0000))
    this.#view.setUint32(at + 4, value >>> 0)
  }
  big64(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw new ProtocolError(`${value} does not fit an int64`)
    const at = this.#room(8)
    this.#view.setBigInt64(at, value)
  }
  float64(value: number): void {
    const at = this.#room(8)
    this.#view.setFloat64(at, value)
  }
  uuid(value: string): void {
    const at = this.#room(uuidBytes)
    writeUuid(value, this.#buffer, at)
  }

  uvarint(value: number): void {
    let left = whole(value, 0, 0xffff_ffff)
    const at = this.#room(5)
    let next = at
    while (left >= 0x80) {
      this.#buffer[next++] = (left & 0x7f) | 0x80
      left = Math.floor(left / 0x80)
    }
    this.#buffer[next++] = left
    this.#at = next
  }

  string(value: string): void {
    const at = this.#room(2 + value.length * 3)
    const written = this.#text(value, at + 2)
    checkText(written)
    this.#view.setInt16(at, written)
    this.#at = at + 2 + written
  }
  nullableString(value: string | null): void {
    if (value === null) this.int16(-1)
    else this.string(value)
  }
  compactString(value: string): void {
    // The size of the length prefix depends on the length: leave room for the widest prefix, and move the bytes if it is smaller.
    const at = this.#room(5 + value.length * 3)
    const written = this.#text(value, at + 5)
    checkText(written)
    this.#at = at
    this.uvarint(written + 1)
    this.#buffer.copyWithin(this.#at, at + 5, at + 5 + written)
    this.#at += written
  }
  compactNullableString(value: string | null): void {
    if (value === null) this.uvarint(0)
    else this.compactString(value)
  }

  octets(value: Octets): void {
    this.int32(lengthOf(value))
    this.raw(value)
  }
  nullableOctets(value: Octets | null): void {
    if (value === null) this.int32(-1)
    else this.octets(value)
  }
  compactOctets(value: Octets): void {
    this.uvarint(lengthOf(value) + 1)
    this.raw(value)
  }
  compactNullableOctets(value: Octets | null): void {
    if (value === null) this.uvarint(0)
    else this.compactOctets(value)
  }

  /** The length of an array; -1 for null. */
  count(length: number): void {
    this.#worked += Math.min(length, fewElements)
    this.int32(length)
  }
  compactCount(length: number): void {
    this.#worked += Math.min(length, fewElements)
    this.uvarint(length + 1)
  }

  /** One more element of an array was written. True: the step has had its elements. */
  worked(): boolean {
    this.#worked += 1
    if (this.#worked < elementsPerStep) return false
    this.#worked = 0
    return true
  }

  raw(value: Octets): void {
    if (isOctets(value)) this.#gather(value)
    else for (const chunk of value) this.#gather(chunk)
  }

  #gather(bytes: Uint8Array): void {
    if (bytes.length < copyBelowBytes) {
      const at = this.#room(bytes.length)
      this.#buffer.set(bytes, at)
      return
    }
    this.#cut()
    this.#chunks.push(bytes)
    this.#chunkBytes += bytes.length
  }

  #cut(): void {
    if (this.#at === this.#from) return
    this.#chunks.push(this.#buffer.subarray(this.#from, this.#at))
    this.#chunkBytes += this.#at - this.#from
    this.#from = this.#at
  }

  /** Reserves memory and returns where it begins. Read `#view` and `#buffer` only afterwards, because this may replace them. */
  #room(length: number): number {
    const at = this.#at
    if (at + length <= this.#buffer.length) {
      this.#at = at + length
      return at
    }
    const pending = this.#buffer.subarray(this.#from, at)
    this.#buffer = new Uint8Array(Math.max(this.#buffer.length * 2, pending.length + length))
    this.#view = new DataView(this.#buffer.buffer)
    this.#buffer.set(pending)
    this.#from = 0
    this.#at = pending.length + length
    return pending.length
  }

  #text(value: string, at: number): number {
    if (value.length > longText) {
      this.#worked += Math.floor(value.length / charactersPerElement)
      return utf8.encodeInto(value, this.#buffer.subarray(at)).written
    }
    for (let index = 0; index < value.length; index++) {
      const unit = value.charCodeAt(index)
      if (unit >= 0x80) return utf8.encodeInto(value, this.#buffer.subarray(at)).written
      this.#buffer[at + index] = unit
    }
    return value.length
  }
}

/** Most responses fit into their writer's first bytes. These come from shared memory, because an allocation costs more than writing the response. */
const poolBytes = 32 * firstBytes
let pool = new Uint8Array(0)
let poolUsed = poolBytes

function firstMemory(): Uint8Array {
  if (poolUsed === poolBytes) {
    pool = new Uint8Array(poolBytes)
    poolUsed = 0
  }
  poolUsed += firstBytes
  return pool.subarray(poolUsed - firstBytes, poolUsed)
}

/** One piece of bytes, or several to send one after another. */
export type Octets = Uint8Array | readonly Uint8Array[]

/** Does not use `instanceof`: a runner such as Jest may give the code a Uint8Array of another realm. */
function isOctets(value: Octets): value is Uint8Array {
  return ArrayBuffer.isView(value)
}

function lengthOf(value: Octets): number {
  if (isOctets(value)) return value.length
  let length = 0
  for (const chunk of value) length += chunk.length
  return length
}

/** Kafka's clients read no longer string in any version. */
function checkText(sizeBytes: number): void {
  if (sizeBytes > 0x7fff) throw new ProtocolError(`a string of ${sizeBytes} bytes exceeds 32767`)
}

function whole(value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) throw new ProtocolError(`${value} is not an integer from ${min} to ${max}`)
  return value
}
