// Where lines of the log go: JSON lines by pino, or words for people on a terminal. Both on standard error: standard output is for the ready line.
import { createRequire } from 'node:module'
import type { Level, LogLine } from './event-log.ts'

export interface Log {
  write(line: LogLine): void
  /** What was written is with the operating system when it returns; for the end of the process. */
  flush(): void
}

/** A reader of our log that takes nothing: with this much unread, further lines are dropped. Memory is not. */
const unreadBytes = 1024 * 1024

/** pino is loaded with the first line: most starts have none. */
export function jsonLog({ verbose }: { readonly verbose: boolean }): Log {
  type Pino = typeof import('pino')
  let opened: { readonly logger: import('pino').Logger; readonly destination: ReturnType<Pino['destination']> } | undefined
  const open = (): NonNullable<typeof opened> => {
    const { pino } = createRequire(import.meta.url)('#pino') as Pino
    const destination = pino.destination({ fd: 2, sync: false, maxLength: unreadBytes })
    const options = {
      level: verbose ? 'debug' : 'info',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: asWord },
    }
    return { logger: pino(options, destination), destination }
  }
  return {
    write({ level, message, fields }) {
      opened ??= open()
      opened.logger[level](fields, message)
    },
    flush: () => opened?.destination.flushSync(),
  }
}

/** `  12:04:11  topic hello created with 100 partitions` */
export function terminalLog(out: { write(text: string): unknown }): Log {
  return {
    write({ level, message, fields }) {
      const time = new Date().toTimeString().slice(0, 8)
      const stack = level === 'error' && typeof fields.error === 'string' ? `\n${fields.error}` : ''
      out.write(`  ${time}  ${words[level]}${message}${stack}\n`)
    },
    flush() {},
  }
}

const words: Readonly<Record<Level, string>> = { debug: '', info: '', warn: 'warning: ', error: 'error: ' }

function asWord(label: string): { readonly level: string } {
  return { level: label }
}
