// The bounds of decoding: how many elements and tags a message may claim.

export const limits = {
  /** The elements of all arrays of one message together. An element costs the decoder some 100 bytes of memory, and the sender as little as one byte. */
  elementsPerMessage: 1_000_000,
  /** Unknown tagged fields of one struct. The decoder skips them one by one. */
  unknownTags: 1_000,
} as const
