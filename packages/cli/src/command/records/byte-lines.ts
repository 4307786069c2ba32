// The lines of a byte stream, in blocks as they arrive: endless input needs bounded memory, and no line waits for more input.

/** One line without its delimiter, and its number from 1. A carriage return before a line feed is part of the line. */
export interface ByteLine {
  readonly number: number
  readonly bytes: Buffer
}

export class LineTooLong extends Error {
  override readonly name = 'LineTooLong'
  readonly number: number

  constructor(number: number, maxBytes: number) {
    super(`line ${number} is longer than ${maxBytes} bytes`)
    this.number = number
  }
}

/**
 * The lines from each chunk of the input, which end with `delimiter`, by default a line feed; with an empty one the whole input is one line. Bytes after the last
 * delimiter are also a line. Throws LineTooLong, after the lines before it.
 */
export async function* byteLines(
  input: AsyncIterable<Buffer | string>,
  { maxBytes, delimiter = lineFeed }: { readonly maxBytes: number; readonly delimiter?: Buffer },
): AsyncGenerator<readonly ByteLine[]> {
  let begun: Buffer[] = []
  let begunBytes = 0
  /** The last bytes of the input, which may be the beginning of a delimiter. */
  let held = Buffer.alloc(0)
  let number = 0
  for await (const given of input) {
    const piece = Buffer.concat([held, typeof given === 'string' ? Buffer.from(given) : given])
    const lines: ByteLine[] = []
    let from = 0
    for (let end = find(delimiter, piece, 0); end >= 0; end = find(delimiter, piece, from)) {
      const rest = piece.subarray(from, end)
      number += 1
      from = end + delimiter.length
      if (begunBytes + rest.length > maxBytes) {
        yield lines
        throw new LineTooLong(number, maxBytes)
      }
      lines.push({ number, bytes: begun.length === 0 ? rest : Buffer.concat([...begun, rest]) })
      begun = []
      begunBytes = 0
    }
    const holdFrom = Math.max(from, piece.length - Math.max(0, delimiter.length - 1))
    if (from < holdFrom) begun.push(piece.subarray(from, holdFrom))
    begunBytes += holdFrom - from
    held = Buffer.from(piece.subarray(holdFrom))
    if (lines.length > 0) yield lines
    if (begunBytes + held.length > maxBytes) throw new LineTooLong(number + 1, maxBytes)
  }
  if (begunBytes + held.length > 0) yield [{ number: number + 1, bytes: Buffer.concat([...begun, held]) }]
}

/** The first delimiter from a place on; -1 if there is none. */
function find(delimiter: Buffer, piece: Buffer, from: number): number {
  return delimiter.length === 0 ? -1 : piece.indexOf(delimiter, from)
}

const lineFeed = Buffer.from('\n')
