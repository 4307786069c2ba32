// The one copy that an adapter may make: chunks as one piece of memory, where a request, a map or a reader takes no list.

/** New memory of exactly the chunks' length, shared with nothing: not from Node's pool, which would be kept alive by it. */
export function joinChunks(chunks: readonly Uint8Array[]): Buffer {
  const joined = Buffer.allocUnsafeSlow(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    joined.set(chunk, at)
    at += chunk.length
  }
  return joined
}
