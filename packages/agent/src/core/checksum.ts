// The checksum of everything that is stored: CRC-32C, native in the product, plain TypeScript in tests, and the checksum of two parts from those of each.

/** The CRC-32C (RFC 3720 appendix B.4) of `bytes`, an unsigned 32-bit number. `seed` is an earlier result to continue from. */
export type Checksum = (bytes: Uint8Array, seed?: number) => number

/**
 * The CRC-32C of two parts, one after the other, without their bytes: below a microsecond, however long they are. The method of zlib's crc32_combine: with a register of
 * x^n, appending n zero bits is one multiplication modulo the polynomial. `afterBytes` is below 2^31.
 */
export function joinChecksums(before: number, after: number, afterBytes: number): number {
  let shift = one
  for (let [left, power] = [afterBytes, bitsPerByteLog2]; left > 0; left >>>= 1, power += 1)
    if ((left & 1) === 1) shift = product(powers[power] ?? one, shift)
  return (product(shift, before) ^ after) >>> 0
}

/** Polynomials modulo Castagnoli's, bits reversed: the highest bit is x^0. */
const polynomial = 0x82f6_3b78
const one = 0x8000_0000
const bitsPerByteLog2 = 3

/** x^(2^n) for each n that `joinChecksums` needs. */
const powers: readonly number[] = powersOfX(bitsPerByteLog2 + 31)

function powersOfX(count: number): readonly number[] {
  const made: number[] = []
  for (let power = one >>> 1; made.length < count; power = product(power, power)) made.push(power)
  return made
}

function product(a: number, b: number): number {
  let sum = 0
  let shifted = b
  for (let bit = one; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) sum ^= shifted
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ polynomial
  }
  return sum >>> 0
}
