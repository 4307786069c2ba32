// The option --output of the commands that print records.
import type { CommandOption } from '../client-command.ts'
import { oneOf } from './option-checks.ts'

export function recordOutput(formats: readonly string[], doc: string, check = oneOf(formats)): CommandOption {
  return { name: 'output', short: 'o', placeholder: 'format', default: 'table', doc, completes: formats, check }
}
