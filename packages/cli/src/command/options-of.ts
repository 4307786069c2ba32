// The options of a client command: its own and those common to its kind.
import type { ClientCommand, CommandOption } from './client-command.ts'
import { connectionOptions } from './connection.ts'

const verboseOption: CommandOption = { name: 'verbose', short: 'v', doc: 'Also print the stack trace of an error.' }

export function optionsOf(command: ClientCommand): readonly CommandOption[] {
  return [...command.options, ...(command.standalone === true ? [] : connectionOptions), verboseOption]
}
