// What a client command takes: its own options, and those that all of its kind take.
import type { ClientCommand, CommandOption } from './client-command.ts'
import { connectionOptions } from './connection.ts'

const verboseOption: CommandOption = { name: 'verbose', short: 'v', doc: 'Also print the stack of an error.' }

export function optionsOf(command: ClientCommand): readonly CommandOption[] {
  return [...command.options, ...(command.standalone === true ? [] : connectionOptions), verboseOption]
}
