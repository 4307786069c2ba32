// The type of the checksum function that is handed to whoever needs one: CRC-32C, native in the product, plain in tests.

/** CRC-32C (RFC 3720 appendix B.4) of `bytes`, continuing from `seed`, an earlier result; unsigned 32 bits. */
export type Checksum = (bytes: Uint8Array, seed?: number) => number
