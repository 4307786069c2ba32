// The same for each of several names, one after another: what works is done and told, and the first trouble is the command's at the end.
import { explainClient } from '../cluster/client-errors.ts'
import { UserError } from '../user-error.ts'
import type { CommandContext } from './client-command.ts'

/** Rejects at the end with the trouble, when there was any; of several, each is told as it comes. */
export async function forEachName(
  names: readonly string[],
  { terminal, connection, signal }: Pick<CommandContext, 'terminal' | 'connection' | 'signal'>,
  act: (name: string) => Promise<void>,
): Promise<void> {
  let last: UserError | undefined
  let failed = 0
  for (const name of names) {
    try {
      await act(name)
    } catch (error) {
      if (signal.aborted) throw error
      last = error instanceof UserError ? error : await explainClient(error, connection)
      failed += 1
      if (names.length > 1) terminal.talk.write(`${name}: ${last.what}\n`)
      // Nobody is there any more: the others would only say the same.
      if (last.code === 'LKS-4001') break
    }
  }
  if (last === undefined) return
  if (names.length === 1) throw last
  throw new UserError(last.code, {
    what: `${failed} of ${names.length} failed, the others are done`,
    why: last.message,
    fix: last.fix,
    cause: last,
  })
}
