// The terminal of this process: its three streams, and whether people are there.
import { isatty } from 'node:tty'
import { explain, UserError } from '../user-error.ts'
import type { Terminal } from './client-command.ts'

export function processTerminal(env: Readonly<Record<string, string | undefined>>): Terminal {
  const { stdout, stderr } = process
  const interactive = stdout.isTTY === true
  return {
    // Opened by whoever reads it: a stdin that nobody reads is left alone.
    get input() {
      return process.stdin
    },
    data: stdout,
    talk: stderr,
    interactive,
    inputInteractive: isatty(0),
    columns: interactive ? Math.max(40, stdout.columns) : 80,
    colours: interactive && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb',
  }
}

/** A reader that has gone (`| head -1`) ends the process quietly; a full disk ends it with words. */
export function endWithoutReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || error.code === 'EOF') process.exit(0)
      const told = new UserError('LKS-1010', {
        what: 'the output cannot be written',
        why: error.message,
        fix: ['make room, or write elsewhere'],
      })
      process.stderr.write(explain(told, { verbose: false }))
      process.exit(told.exitCode)
    })
  }
}

/** Settles when what was written is with the operating system. */
export async function flushed(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) await new Promise<void>((resolve) => stream.write('', () => resolve()))
}
