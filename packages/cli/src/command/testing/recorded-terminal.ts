// A terminal that records its output.
import { PassThrough, Writable } from 'node:stream'
import type { Terminal } from '../client-command.ts'

export interface RecordedTerminal extends Terminal {
  said(): { readonly data: string; readonly talk: string }
}

export function recordedTerminal(
  of: Partial<Pick<Terminal, 'interactive' | 'inputInteractive' | 'columns'>> & { readonly typed?: string } = {},
): RecordedTerminal {
  let data = ''
  let talk = ''
  const input = new PassThrough()
  input.end(of.typed ?? '')
  return {
    input,
    data: writable((text) => (data += text)),
    talk: writable((text) => (talk += text)),
    withoutReader: () => ({ [Symbol.dispose]() {} }),
    interactive: of.interactive ?? false,
    inputInteractive: of.inputInteractive ?? false,
    columns: of.columns ?? 80,
    colours: false,
    said: () => ({ data, talk }),
  }
}

function writable(take: (text: string) => void): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      take(chunk)
      done()
    },
  })
}
