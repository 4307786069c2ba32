// The terminal of this process: its three streams, and whether each is interactive.
import { isatty } from 'node:tty'
import { explain, UserError } from 'local-kafka-service/internal/user-error'
import type { Terminal } from './client-command.ts'
import { hasColours, paintOf } from './output/paint.ts'

export function processTerminal(env: Readonly<Record<string, string | undefined>>, farewells: Farewells): Terminal {
  const { stdout, stderr } = process
  const interactive = stdout.isTTY === true
  return {
    // Opened on first use: stdin is left alone when it is not read.
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

/** Work before the process ends because its output is no longer read, such as leaving a group. */
export type Farewells = Set<() => Promise<void>>

/** A closed reader (`| head -1`) ends the process quietly; a full disk ends it with an error. It ends at once, or after the registered work, which has a time-out. */
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
  const told = new UserError('LKS-1010', {
    what: 'the output cannot be written',
    why: message,
    fix: ['free some space, or write elsewhere'],
  })
  process.stderr.write(explain(told, { verbose: false, wrong: wrongPaint() }))
  return told.exitCode
}

/** The format of `error:` on standard error. */
export function wrongPaint(env: Readonly<Record<string, string | undefined>> = process.env): (text: string) => string {
  const paint = paintOf({ colours: hasColours(process.stderr, env) })
  return (text) => paint('wrong', text)
}

/** Settles when the operating system has everything that was written. */
export async function flushed(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) await new Promise<void>((resolve) => stream.write('', () => resolve()))
}
