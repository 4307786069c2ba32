// The options of `lks produce`, with the rules for their combinations.
import type { CodecName } from '@local-kafka-service/protocol'
import { UserError } from 'local-kafka-service/internal/user-error'
import type { ParsedCommand } from '../client-command.ts'
import type { ConsumedHeader } from './consumed-record.ts'
import { givenWord } from './option-checks.ts'
import { acknowledgements, codecs } from './produce-words.ts'
import { escapedBytes } from './record-format.ts'
import { type LineForm, parseHeader } from './record-lines.ts'

export interface ProducePlan {
  readonly topic: string
  /** Undefined: standard input. */
  readonly file: string | undefined
  /** What ends a record. Empty: all of the input is one record. */
  readonly delimiter: Buffer
  readonly form: LineForm
  /** A number: all records go there. `any`: the keys decide. Undefined: a JSON record may name a partition, otherwise the keys decide. */
  readonly partition: number | 'any' | undefined
  readonly acks: (typeof acknowledgements)[number]
  readonly compression: CodecName
  readonly output: string
}

/** Throws a UserError for options that exclude each other. */
export function producePlanOf(given: ParsedCommand): ProducePlan {
  const key = given.option('key')
  const separator = given.option('key-separator')
  const partition = given.option('partition')
  const output = given.option('output') ?? 'table'
  const acks = givenWord(acknowledgements, given.option('acks') ?? 'all')
  const json = given.flag('json')
  if (json && key !== undefined) throw excluded('--json', '--key', 'a record in JSON has its own key')
  if (json && separator !== undefined) throw excluded('--json', '--key-separator', 'a record in JSON has its own key')
  const whole = given.flag('whole')
  const delimiter = given.option('delimiter')
  if (whole && delimiter !== undefined) throw excluded('--whole', '--delimiter', 'with --whole all of the input is one record')
  if (key !== undefined && separator !== undefined)
    throw excluded('--key', '--key-separator', '--key sets one key for all lines, --key-separator reads a key from each line')
  if (acks === '0' && output !== 'table')
    throw excluded('--acks 0', `--output ${output}`, 'without an acknowledgement the offset is unknown')
  return {
    topic: given.arguments[0] ?? '',
    file: given.option('file'),
    delimiter: whole ? Buffer.alloc(0) : delimiterOf(delimiter ?? '\\n'),
    form: {
      json,
      key: key === undefined ? undefined : Buffer.from(key),
      keySeparator: separator === undefined ? undefined : Buffer.from(separator),
      headers: given.options('header').map(headerOf),
      emptyIsNull: given.flag('null'),
    },
    partition: partition === undefined || partition === 'any' ? partition : Number(partition),
    acks,
    compression: givenWord(codecs, given.option('compression') ?? 'none'),
    output,
  }
}

/** The command line has validated it. */
function delimiterOf(text: string): Buffer {
  const parsed = escapedBytes(text)
  if (parsed.kind === 'wrong') throw new RangeError(parsed.why)
  return parsed.bytes
}

function headerOf(text: string): ConsumedHeader {
  const parsed = parseHeader(text)
  if (parsed.kind === 'wrong') throw new RangeError(parsed.why)
  return parsed.header
}

function excluded(one: string, other: string, why: string): UserError {
  return new UserError('LKS-1005', { what: `${one} and ${other} exclude each other`, why, fix: ['remove one of them'] })
}
