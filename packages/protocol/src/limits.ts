// The bounds of decoding: what a message may claim before its bytes are believed.

export const limits = {
  /** Elements of all arrays of one message together: an element costs the decoder some 100 bytes of memory and the sender as little as one. */
  elementsPerMessage: 1_000_000,
  /** Tagged fields of one struct that this code does not know: they are skipped, one by one. */
  unknownTags: 1_000,
} as const
