// The terminal of this process: its three streams, and whether people are there.
import { isatty } from 'node:tty'
import { explain, UserError } from '../user-error.ts'
import type { Terminal } from './client-command.ts'
import { hasColours, paintOf } from './output/paint.ts'

export function processTerminal(env: Readonly<Record<string, string | undefined>>, farewells: Farewells): Terminal {
  const { stdout, stderr } = process
  const interactive = stdout.isTTY === true
  return {
    // Opened by whoever reads it: a stdin that nobody reads is left alone.
    get input() {
      return process.stdin
    },
    data: stdout,
    withoutReader(farewell) {
      farewells.add(farewell)
      return { [Symbol.dispose]: () => void farewells.delete(farewell) }
    },
    talk: stderr,
    interactive,
    inputInteractive: isatty(0),
    columns: interactive ? Math.max(40, stdout.columns) : 80,
    colours: hasColours(stdout, env),
  }
}

/** What is done before the process ends because nobody takes its output any more, as leaving a group. */
export type Farewells = Set<() => Promise<void>>

/** A reader that has gone (`| head -1`) ends the process quietly; a full disk ends it with words. At once, or when the farewells are said, which has a bound. */
export function endWithoutReader(farewells: Farewells): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      const exitCode = error.code === 'EPIPE' || error.code === 'EOF' ? 0 : tellFullDisk(error)
      if (farewells.size === 0) process.exit(exitCode)
      setTimeout(() => process.exit(exitCode), farewellMs)
      void Promise.allSettled([...farewells].map((farewell) => farewell())).then(() => process.exit(exitCode))
    })
  }
}

const farewellMs = 5_000

function tellFullDisk({ message }: Error): number {
  const told = new UserError('LKS-1010', { what: 'the output cannot be written', why: message, fix: ['make room, or write elsewhere'] })
  process.stderr.write(explain(told, { verbose: false, wrong: wrongPaint() }))
  return told.exitCode
}

/** How `error:` is shown on standard error. */
export function wrongPaint(env: Readonly<Record<string, string | undefined>> = process.env): (text: string) => string {
  const paint = paintOf({ colours: hasColours(process.stderr, env) })
  return (text) => paint('wrong', text)
}

/** Settles when what was written is with the operating system. */
export async function flushed(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) await new Promise<void>((resolve) => stream.write('', () => resolve()))
}
