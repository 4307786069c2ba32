// The error for records that were not written: how many were, what failed, and what to do.
import { UserError } from 'local-kafka-service/internal/user-error'
import { innermostMessage } from './innermost-message.ts'
import type { NotWritten } from './record-writer.ts'

/** Counts for the whole command. */
export interface Progress {
  readonly topic: string
  readonly acknowledged: number
}

/** `server`: a bootstrap server, for the advice. */
export function notWrittenError({ rejected, inDoubt, unreached, cause }: NotWritten, progress: Progress, server: string): UserError {
  const before = `${written(progress)}, then `
  const doubt = inDoubt === 0 ? '' : `; whether ${inDoubt} more were written is unknown`
  const [first] = rejected
  if (first === undefined && unreached !== undefined) {
    return new UserError('LKS-4005', {
      what: `${before}no connection could be made to ${unreached}, which the cluster advertises${doubt}`,
      why: innermostMessage(cause),
      fix: [`see which address is wrong: lks doctor connect ${server}`],
      cause,
    })
  }
  if (first === undefined) {
    return new UserError('LKS-4102', {
      what: `${before}the cluster stopped answering${doubt}`,
      why: innermostMessage(cause),
      fix: [`see the last records: lks consume ${progress.topic} -e -O -10`, 'write the rest when the cluster is available again'],
      cause,
    })
  }
  const { api, message, records } = first.rejection
  const batch = rejected.filter(({ record }) => record.partition === first.record.partition).map(({ record }) => record)
  const wrong = records.length === 0 ? batch : records.flatMap((at) => batch[at] ?? [])
  return new UserError('LKS-4102', {
    what: `${before}${lines(wrong.map(({ line }) => line))} rejected by the cluster${doubt}`,
    why: `${api}${message === undefined ? '' : `: ${message}`}`,
    fix: fixes[api] ?? ['fix the rejected lines, and write the rest'],
    cause,
  })
}

/** A line that is not a valid record, or that has no valid partition. The lines before it are written. */
export function wrongLineError({ line, why }: { readonly line: number; readonly why: string }, progress: Progress): UserError {
  return new UserError('LKS-4101', {
    what: `line ${line} cannot be written: ${why}`,
    why: `${written(progress)}: all lines before it`,
    fix: [`fix line ${line}, and continue with it`],
  })
}

/** `1 record is written to orders` */
export function written({ topic, acknowledged }: Progress): string {
  return acknowledged === 1 ? `1 record is written to ${topic}` : `${acknowledged} records are written to ${topic}`
}

const fixes: Readonly<Record<string, readonly string[]>> = {
  MESSAGE_TOO_LARGE: ['raise max.message.bytes of the topic, or write smaller records', 'compress: -z zstd'],
  RECORD_LIST_TOO_LARGE: ['raise segment.bytes of the topic, or write smaller records'],
  INVALID_RECORD: ['a compacted topic needs keys: -k or -K'],
  TOPIC_AUTHORIZATION_FAILED: ['get the permission to write to the topic'],
}

function lines(numbers: readonly number[]): string {
  const [first = 0] = numbers
  const last = numbers.at(-1) ?? first
  if (numbers.length === 1) return `line ${first} was`
  return last - first + 1 === numbers.length ? `lines ${first} to ${last} were` : `${numbers.length} of the lines ${first} to ${last} were`
}
