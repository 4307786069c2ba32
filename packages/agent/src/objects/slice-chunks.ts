// A range out of a list of chunks, by reference: neighbours in memory come as one piece.

/** The pieces that hold bytes `start` to `start + length` of the chunks' concatenation, which must be that long. */
export function sliceChunks(
  chunks: readonly Uint8Array[],
  { start, length }: { readonly start: number; readonly length: number },
): readonly Uint8Array[] {
  const pieces: Uint8Array[] = []
  let at = 0
  for (const chunk of chunks) {
    const from = Math.max(start - at, 0)
    const until = Math.min(start + length - at, chunk.length)
    if (from < until) append(pieces, chunk.subarray(from, until))
    at += chunk.length
    if (at >= start + length) break
  }
  return pieces
}

/** Batches of one partition were mostly copied one behind the other into one slab: then they are one piece again. */
function append(pieces: Uint8Array[], piece: Uint8Array): void {
  const last = pieces.at(-1)
  if (last !== undefined && last.buffer === piece.buffer && last.byteOffset + last.length === piece.byteOffset)
    pieces[pieces.length - 1] = new Uint8Array(last.buffer, last.byteOffset, last.length + piece.length)
  else pieces.push(piece)
}
