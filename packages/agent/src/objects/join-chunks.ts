// The one copy that an adapter may make: it joins chunks into one piece of memory for a request, a map or a reader that takes no list.

/** New, unshared memory of exactly the chunks' length. It does not come from Node's pool, which it would keep alive. */
export function joinChunks(chunks: readonly Uint8Array[]): Buffer {
  const joined = Buffer.allocUnsafeSlow(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    joined.set(chunk, at)
    at += chunk.length
  }
  return joined
}
