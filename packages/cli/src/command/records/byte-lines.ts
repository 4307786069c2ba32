// The lines of a byte stream, in blocks as they arrive: endless input needs bounded memory, and no line waits for more input.

/** One line without its line feed, and its number from 1. A carriage return is part of the line. */
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
 * The lines from each chunk of the input. Bytes after the last line feed are also a line.
 * Throws LineTooLong, after the lines before it.
 */
export async function* byteLines(
  input: AsyncIterable<Buffer | string>,
  { maxBytes }: { readonly maxBytes: number },
): AsyncGenerator<readonly ByteLine[]> {
  let begun: Buffer[] = []
  let begunBytes = 0
  let number = 0
  for await (const given of input) {
    const piece = typeof given === 'string' ? Buffer.from(given) : given
    const lines: ByteLine[] = []
    let from = 0
    for (let end = piece.indexOf(lineFeed); end >= 0; end = piece.indexOf(lineFeed, from)) {
      const rest = piece.subarray(from, end)
      number += 1
      from = end + 1
      if (begunBytes + rest.length > maxBytes) {
        yield lines
        throw new LineTooLong(number, maxBytes)
      }
      lines.push({ number, bytes: begun.length === 0 ? rest : Buffer.concat([...begun, rest]) })
      begun = []
      begunBytes = 0
    }
    if (from < piece.length) begun.push(piece.subarray(from))
    begunBytes += piece.length - from
    if (lines.length > 0) yield lines
    if (begunBytes > maxBytes) throw new LineTooLong(number + 1, maxBytes)
  }
  if (begunBytes > 0) yield [{ number: number + 1, bytes: Buffer.concat(begun) }]
}

const lineFeed = 0x0a
