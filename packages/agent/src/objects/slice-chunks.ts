// A range out of a list of chunks, by reference: neighbours in memory come as one piece.
import { must } from '../core/assert.ts'

/** The same bytes in fewer chunks: neighbours in memory become one. An object of ten thousand small batches has as many views otherwise, each larger than its batch. */
export function neighboursJoined(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  const joined: Uint8Array[] = []
  for (const chunk of chunks) append(joined, chunk)
  return joined
}

/** The start of each chunk in the concatenation: it makes many small ranges of many chunks quick to find. */
export function startsOf(chunks: readonly Uint8Array[]): Float64Array {
  const starts = new Float64Array(chunks.length)
  let at = 0
  for (const [index, chunk] of chunks.entries()) {
    starts[index] = at
    at += chunk.length
  }
  return starts
}

/** The pieces that hold bytes `start` to `start + length` of the chunks' concatenation, which must be that long. */
export function sliceChunks(
  chunks: readonly Uint8Array[],
  { start, length }: { readonly start: number; readonly length: number },
  starts: Float64Array = startsOf(chunks),
): readonly Uint8Array[] {
  const pieces: Uint8Array[] = []
  const first = lastNotAfter(starts, start)
  let at = chunks.length === 0 ? 0 : must(starts[first], 'the start of a chunk')
  for (let index = first; ; index++) {
    const chunk = chunks[index]
    if (chunk === undefined) break
    const from = Math.max(start - at, 0)
    const until = Math.min(start + length - at, chunk.length)
    if (from < until) append(pieces, chunk.subarray(from, until))
    at += chunk.length
    if (at >= start + length) break
  }
  return pieces
}

/** The last index whose start is at or before the place; 0 if there is none. */
function lastNotAfter(starts: Float64Array, place: number): number {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (must(starts[middle], 'the start of a chunk') <= place) low = middle
    else high = middle - 1
  }
  return low
}

/** Batches of one partition were mostly copied one after the other into one slab, so they become one piece again. */
function append(pieces: Uint8Array[], piece: Uint8Array): void {
  const last = pieces.at(-1)
  if (last !== undefined && last.buffer === piece.buffer && last.byteOffset + last.length === piece.byteOffset)
    pieces[pieces.length - 1] = new Uint8Array(last.buffer, last.byteOffset, last.length + piece.length)
  else pieces.push(piece)
}
