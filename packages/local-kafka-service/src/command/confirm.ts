// Asks before something is done that nobody can take back.
import { createInterface } from 'node:readline'
import { UserError } from '../user-error.ts'
import type { CommandContext, CommandOption, Given } from './client-command.ts'

export const yesOption: CommandOption = { name: 'yes', short: 'y', doc: 'Do it without asking.' }

/** Resolves when it may be done. Rejects with a UserError when nobody said yes, or nobody is there to ask. `question`: `Delete the topic 'orders'?` */
export async function confirm(question: string, given: Given, context: CommandContext): Promise<void> {
  if (given.flag('yes')) return
  const { terminal } = context
  if (!terminal.inputInteractive)
    throw new UserError('LKS-1008', {
      what: 'this cannot be taken back, and nobody is there to ask',
      why: question,
      fix: ['do it without asking: --yes'],
    })
  terminal.talk.write(`${question} [y/N] `)
  const answer = await firstLine(context)
  if (!/^y(es)?$/i.test(answer.trim()))
    throw new UserError('LKS-4012', { what: 'nothing was changed', why: 'the answer was not yes', fix: ['do it without asking: --yes'] })
}

/** Empty at the end of the input. Rejects when the signal aborts. */
async function firstLine({ terminal, signal }: CommandContext): Promise<string> {
  // Not as a terminal: Ctrl-C stays a signal.
  const lines = createInterface({ input: terminal.input, terminal: false })
  try {
    return await new Promise((resolve, reject) => {
      lines.once('line', resolve)
      lines.once('close', () => resolve(''))
      signal.addEventListener('abort', () => reject(new Error('interrupted', { cause: signal.reason })), { once: true })
    })
  } finally {
    lines.close()
  }
}
