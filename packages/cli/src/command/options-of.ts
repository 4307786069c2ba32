// The options of a client command: its own and those common to its kind.
import type { ClientCommand, CommandOption } from './client-command.ts'
import { connectionOptions, profileOption } from './connection.ts'
import { controlOption } from './control-option.ts'

const verboseOption: CommandOption = { name: 'verbose', short: 'v', doc: 'Also print the stack trace of an error.' }

export function optionsOf(command: ClientCommand): readonly CommandOption[] {
  const common = command.standalone !== true ? connectionOptions : command.options.includes(controlOption) ? [profileOption] : []
  return [...command.options, ...common, verboseOption]
}
