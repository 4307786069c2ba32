// CRC-32C in plain TypeScript, eight bytes per step ("slicing-by-8": Kounavis, Berry 2005).

/** CRC-32C (RFC 3720 appendix B.4) of `bytes`, continuing from `seed`, an earlier result; unsigned 32 bits. */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  let crc = ~seed
  let at = 0
  const eights = bytes.length - (bytes.length % 8)
  for (; at < eights; at += 8) {
    crc ^= byte(bytes, at) | (byte(bytes, at + 1) << 8) | (byte(bytes, at + 2) << 16) | (byte(bytes, at + 3) << 24)
    crc =
      slice(7, crc & 0xff) ^
      slice(6, (crc >>> 8) & 0xff) ^
      slice(5, (crc >>> 16) & 0xff) ^
      slice(4, crc >>> 24) ^
      slice(3, byte(bytes, at + 4)) ^
      slice(2, byte(bytes, at + 5)) ^
      slice(1, byte(bytes, at + 6)) ^
      slice(0, byte(bytes, at + 7))
  }
  for (; at < bytes.length; at++) crc = slice(0, (crc ^ byte(bytes, at)) & 0xff) ^ (crc >>> 8)
  return ~crc >>> 0
}

/** Castagnoli's polynomial, bits reversed. */
const polynomial = 0x82f6_3b78
const tables = makeTables()

function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256)
  for (let index = 0; index < 256; index++) {
    let crc = index
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ polynomial
    made[index] = crc
  }
  for (let index = 256; index < made.length; index++) {
    const before = made[index - 256] ?? 0
    made[index] = (made[before & 0xff] ?? 0) ^ (before >>> 8)
  }
  return made
}

function slice(table: number, index: number): number {
  return tables[table * 256 + index] ?? 0
}
function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0
}
