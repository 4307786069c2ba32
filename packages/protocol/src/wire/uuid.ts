// Kafka's text form of a UUID: 22 characters of base64url without padding, as its tools print topic ids.
import { ProtocolError } from './protocol-error.ts'

/** Kafka's value for "no topic id". */
export const zeroUuid = 'AAAAAAAAAAAAAAAAAAAAAA'
export const uuidBytes = 16

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const valueOf = new Uint8Array(128).fill(255)
for (let index = 0; index < alphabet.length; index++) valueOf[alphabet.charCodeAt(index)] = index

export function uuidText(bytes: Uint8Array, at: number): string {
  let text = ''
  for (let index = 0; index < 15; index += 3) {
    const three = (byte(bytes, at + index) << 16) | (byte(bytes, at + index + 1) << 8) | byte(bytes, at + index + 2)
    text += letter(three >> 18) + letter(three >> 12) + letter(three >> 6) + letter(three)
  }
  const last = byte(bytes, at + 15)
  return text + letter(last >> 2) + letter(last << 4)
}

/** Throws a ProtocolError if the text is not a UUID in this form. */
export function writeUuid(text: string, into: Uint8Array, at: number): void {
  if (text.length !== zeroUuid.length) throw new ProtocolError(`not a UUID: ${text}`)
  let bits = 0
  let held = 0
  let next = at
  for (let index = 0; index < text.length; index++) {
    const value = valueOf[text.charCodeAt(index)] ?? 255
    if (value === 255) throw new ProtocolError(`not a UUID: ${text}`)
    held = ((held << 6) | value) & 0xffff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    into[next++] = held >> bits
  }
  if ((held & ((1 << bits) - 1)) !== 0) throw new ProtocolError(`not a UUID: ${text}`)
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0
}
function letter(value: number): string {
  return alphabet.charAt(value & 0x3f)
}
