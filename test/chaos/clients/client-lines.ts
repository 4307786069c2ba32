// What the Node clients of a run share: their arguments, their lines, and the two steps in which they end.
import type { ClientLine, ClientSettings } from '../history.ts'

export interface ClientTask {
  readonly bootstrap: string
  readonly topic: string
  readonly partitions: number
  /** The process in the history, and the prefix of the names of its readers and its group. */
  readonly name: string
  /** Between two sends. */
  readonly everyMs: number
  readonly settings: ClientSettings
}

/** `work BOOTSTRAP TOPIC PARTITIONS NAME SETTINGS EVERY_MS`, or `scan …` with the end of each partition as `0:17,1:20`. */
export function taskOf(): { readonly command: string; readonly task: ClientTask; readonly ends: ReadonlyMap<number, number> } {
  const [command = '', bootstrap = '', topic = '', partitions = '', name = '', settings = '', last = ''] = process.argv.slice(2)
  const pairs = command === 'scan' ? last.split(',').map((pair) => pair.split(':').map(Number)) : []
  return {
    command,
    // The cast: workload.ts passes it.
    task: { bootstrap, topic, partitions: Number(partitions), name, everyMs: Number(last), settings: settings as ClientSettings },
    ends: new Map(pairs.map(([partition = 0, end = 0]) => [partition, end])),
  }
}

export function emit(line: ClientLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** A promise that a library rejects without a caller, as kafkajs does when a connection ends, must not end the client. */
export function notesRejections(name: string): void {
  process.on('unhandledRejection', (error) => emit({ f: 'note', text: `${name} has an unhandled rejection: ${String(error)}` }))
}

export interface Phases {
  /** The line `stop` arrived: no more sends, but readers go on. */
  readonly stopped: AbortSignal
  /** Standard input ended: everything ends. */
  readonly ended: Promise<void>
}

export function phases(): Phases {
  const stop = new AbortController()
  process.stdin.setEncoding('utf8').on('data', () => stop.abort())
  return { stopped: stop.signal, ended: new Promise((resolve) => process.stdin.once('end', resolve)) }
}

/** Whether a scan has everything. */
export function isAtEnds(ends: ReadonlyMap<number, number>, positions: ReadonlyMap<number, number>): boolean {
  return [...ends].every(([partition, end]) => (positions.get(partition) ?? 0) >= end)
}
