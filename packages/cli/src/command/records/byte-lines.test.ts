// Lines of bytes do not depend on how the input is split into chunks.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { byteLines, LineTooLong } from './byte-lines.ts'

async function* pieces(...texts: readonly (string | Buffer)[]): AsyncGenerator<Buffer | string> {
  yield* texts
}

async function linesOf(input: AsyncIterable<Buffer | string>, maxBytes = 1_000, delimiter = '\n'): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const block of byteLines(input, { maxBytes, delimiter: Buffer.from(delimiter) }))
    for (const { number, bytes } of block) lines.push(`${number} ${bytes.toString('latin1')}`)
  return lines
}

test('every line has its number; an empty line counts, and so do the bytes after the last line feed', async () => {
  expect(await linesOf(pieces('a\n\nb\r\nc'))).toEqual(['1 a', '2 ', '3 b\r', '4 c'])
  expect(await linesOf(pieces('a\n'))).toEqual(['1 a'])
  expect(await linesOf(pieces('\n'))).toEqual(['1 '])
  expect(await linesOf(pieces())).toEqual([])
  expect(await linesOf(pieces(''))).toEqual([])
})

test('the chunks of the input do not matter', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 8 })), async (parts) => {
      const cut = await linesOf(pieces(...parts.map((part) => Buffer.from(part.map((byte) => (byte < 100 ? 0x0a : byte))))))
      const whole = await linesOf(pieces(Buffer.concat(parts.map((part) => part.map((byte) => (byte < 100 ? 0x0a : byte))))))
      expect(cut).toEqual(whole)
    }),
  )
})

test('lines that have arrived are returned before more input is read', async () => {
  const asked: string[] = []
  async function* slow(): AsyncGenerator<string> {
    asked.push('first')
    yield 'a\nb'
    asked.push('second')
    yield '\n'
  }
  const blocks = byteLines(slow(), { maxBytes: 10 })
  await blocks.next()
  expect(asked).toEqual(['first'])
})

test('a line that is too long is rejected by its number, also when it never ends, after the lines before it', async () => {
  const endless = async function* (): AsyncGenerator<string> {
    yield 'ok\n'
    for (;;) yield 'x'.repeat(100)
  }
  const seen: string[] = []
  const read = async (): Promise<void> => {
    for await (const block of byteLines(endless(), { maxBytes: 1_000 })) for (const { bytes } of block) seen.push(bytes.toString())
  }
  await expect(read()).rejects.toThrow(new LineTooLong(2, 1_000))
  expect(seen).toEqual(['ok'])
  await expect(linesOf(pieces('a\nbbbb\n'), 3)).rejects.toMatchObject({ number: 2 })
  expect(await linesOf(pieces('aaa\nbbb'), 3)).toEqual(['1 aaa', '2 bbb'])
})

test('another delimiter ends lines, also where it is split over chunks, and its beginning alone does not', async () => {
  expect(await linesOf(pieces('a\0b\nc\0'), 1_000, '\0')).toEqual(['1 a', '2 b\nc'])
  expect(await linesOf(pieces('a=', '=b=', 'c==', '=', '=d='), 1_000, '==')).toEqual(['1 a', '2 b=c', '3 ', '4 d='])
})

test('without a delimiter the whole input is one line', async () => {
  expect(await linesOf(pieces('a\n', 'b\n'), 1_000, '')).toEqual(['1 a\nb\n'])
  expect(await linesOf(pieces(), 1_000, '')).toEqual([])
  await expect(linesOf(pieces('aa', 'bb'), 3, '')).rejects.toMatchObject({ number: 1 })
})

test('for any delimiter the chunks of the input do not matter', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 })),
      fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 3 }),
      async (parts, delimiter) => {
        const split = parts.join('').split(delimiter)
        const expected = (split.at(-1) === '' ? split.slice(0, -1) : split).map((line, index) => `${index + 1} ${line}`)
        expect(await linesOf(pieces(...parts), 1_000, delimiter)).toEqual(expected)
      },
    ),
  )
})
