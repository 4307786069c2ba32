// A destructive command runs only after confirmation.
import { expect, test } from 'vitest'
import type { CommandContext, ParsedCommand } from './client-command.ts'
import { confirm } from './confirm.ts'
import { connectionFrom } from './connection.ts'
import { forEachName } from './each.ts'
import { type RecordedTerminal, recordedTerminal } from './testing/recorded-terminal.ts'

function aContext(terminal: RecordedTerminal): CommandContext {
  const connection = connectionFrom({ bootstrap: undefined, properties: [], env: {} })
  return { terminal, env: {}, signal: new AbortController().signal, verbose: false, connection }
}

function aCall({ yes }: { readonly yes: boolean }): ParsedCommand {
  return { arguments: [], option: () => undefined, options: () => [], flag: (name) => name === 'yes' && yes }
}

test('--yes skips the question', async () => {
  const terminal = recordedTerminal()
  await confirm('Delete?', aCall({ yes: true }), aContext(terminal))
  expect(terminal.said()).toEqual({ data: '', talk: '' })
})

test('without a terminal to ask on, the command is rejected', async () => {
  await expect(confirm('Delete?', aCall({ yes: false }), aContext(recordedTerminal({ typed: 'y\n' })))).rejects.toThrow(
    /no terminal to ask/,
  )
})

test.each(['y', 'Y', 'yes', ' YES '])('%j counts as yes', async (typed) => {
  await confirm('Delete?', aCall({ yes: false }), aContext(recordedTerminal({ inputInteractive: true, typed: `${typed}\n` })))
})

test.each(['', 'n\n', 'yess\n', '\n', 'of course\n'])('%j does not count as yes, and changes nothing', async (typed) => {
  const terminal = recordedTerminal({ inputInteractive: true, typed })
  await expect(confirm('Delete?', aCall({ yes: false }), aContext(terminal))).rejects.toThrow(/nothing was changed/)
  expect(terminal.said()).toEqual({ data: '', talk: 'Delete? [y/N] ' })
})

test('with several names, each that can be changed is changed, and the final error reports the failures', async () => {
  const terminal = recordedTerminal()
  const done: string[] = []
  const act = async (name: string): Promise<void> => {
    if (name === 'b') await confirm('b?', aCall({ yes: false }), aContext(terminal))
    done.push(name)
  }
  await expect(forEachName(['a', 'b', 'c'], aContext(terminal), act)).rejects.toThrow(/1 of 3 failed/)
  expect(done).toEqual(['a', 'c'])
  expect(terminal.said().talk).toMatch(/^b: /)
})
