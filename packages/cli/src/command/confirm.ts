// Asks for confirmation before an irreversible operation.
import { createInterface } from 'node:readline'
import { orAborted } from '@local-kafka-service/agent/abort'
import { UserError } from 'local-kafka-service/internal/user-error'
import type { CommandContext, CommandOption, ParsedCommand } from './client-command.ts'

export const yesOption: CommandOption = { name: 'yes', short: 'y', doc: 'Do not ask for confirmation.' }

/** Resolves when the user confirms. Rejects with a UserError when the user declines, or when there is no terminal to ask on. `question`: `Delete the topic 'orders'?` */
export async function confirm(question: string, given: ParsedCommand, context: CommandContext): Promise<void> {
  if (given.flag('yes')) return
  const { terminal } = context
  if (!terminal.inputInteractive)
    throw new UserError('LKS-1008', {
      what: 'this needs a confirmation, and there is no terminal to ask on',
      why: question,
      fix: ['confirm with --yes'],
    })
  terminal.talk.write(`${question} [y/N] `)
  const answer = await firstLine(context)
  if (!/^y(es)?$/i.test(answer.trim()))
    throw new UserError('LKS-4012', { what: 'nothing was changed', why: 'the answer was not yes', fix: ['confirm with --yes'] })
}

/** Returns an empty text at the end of the input. Rejects when the signal aborts. */
async function firstLine({ terminal, signal }: CommandContext): Promise<string> {
  // Without terminal mode Ctrl-C still raises a signal.
  const lines = createInterface({ input: terminal.input, terminal: false })
  try {
    const line = new Promise<string>((resolve) => {
      lines.once('line', resolve)
      lines.once('close', () => resolve(''))
    })
    return await orAborted(line, signal, () => {
      throw new Error('interrupted', { cause: signal.reason })
    })
  } finally {
    lines.close()
  }
}
