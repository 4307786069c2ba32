// The type of the checksum function: CRC-32C, native in the product, plain TypeScript in tests.

/** The CRC-32C (RFC 3720 appendix B.4) of `bytes`, an unsigned 32-bit number. `seed` is an earlier result to continue from. */
export type Checksum = (bytes: Uint8Array, seed?: number) => number
