// Where log lines are written: as JSON by pino, or as text on a terminal. Both use standard error, because standard output has the ready line.
import { createRequire } from 'node:module'
import { isError } from '@local-kafka-service/agent/native-error'
import type { Level, LogLine } from 'local-kafka-service/internal/server/event-log'

export interface Log {
  write(line: LogLine): void
  /** When it returns, the operating system has everything that was written. Called at the end of the process. */
  flush(): void
}

/** The limit of unread output. When the reader of the log takes nothing, further lines are dropped to bound memory. */
const unreadBytes = 1024 * 1024

/** pino is loaded with the first line: most starts do not log. */
export function jsonLog({ verbose }: { readonly verbose: boolean }): Log {
  type Pino = typeof import('pino')
  let opened: { readonly logger: import('pino').Logger; readonly destination: ReturnType<Pino['destination']> } | undefined
  const open = (): NonNullable<typeof opened> => {
    const { pino } = createRequire(import.meta.url)('#pino') as Pino
    const destination = pino.destination({ fd: 2, sync: false, maxLength: unreadBytes })
    // A log on a full disk, or a pipe that is no longer read, must not end the server. pino keeps the lines that it could not write, and retries with the next one.
    destination.on('error', () => {})
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
    flush() {
      try {
        opened?.destination.flushSync()
      } catch (error) {
        // If the log cannot be written, there is no place to report it, and the cause of the end matters more.
        if (!(isError(error) && 'code' in error)) throw error
      }
    },
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
