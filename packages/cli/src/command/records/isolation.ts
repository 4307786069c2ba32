// The isolation level of the commands that read records: whether they see records of open and aborted transactions.
import type { CommandOption, ParsedCommand } from '../client-command.ts'
import { givenWord, oneOf } from './option-checks.ts'

const isolations = ['read_committed', 'read_uncommitted'] as const
/** Kafka's names. */
export type IsolationLevel = (typeof isolations)[number]

/** Kafka's numbers in Fetch and ListOffsets. */
export const isolationLevels = { read_uncommitted: 0, read_committed: 1 } as const satisfies Record<IsolationLevel, number>

export const isolationOption: CommandOption = {
  name: 'isolation-level',
  placeholder: 'level',
  default: 'read_committed',
  doc: 'read_committed stops at the first open transaction, and leaves out aborted records; read_uncommitted shows all.',
  completes: isolations,
  check: oneOf(isolations),
}

export function isolationOf(given: ParsedCommand): IsolationLevel {
  return givenWord(isolations, given.option('isolation-level') ?? 'read_committed')
}
