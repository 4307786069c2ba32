// Runs an operation for each of several names in order: it continues after a failure, and the command fails at the end.
import { UserError } from 'local-kafka-service/internal/user-error'
import { explainClient } from '../cluster/client-errors.ts'
import type { CommandContext } from './client-command.ts'
import { type OutputFormat, type OutputView, show } from './output/output.ts'

export interface Shown<T> {
  readonly act: (name: string) => Promise<T>
  readonly view: (found: readonly T[]) => OutputView
  readonly format: OutputFormat
}

/** Shows the values that were found, then rejects if there was a failure. Without any value it only rejects. */
export async function forEachShown<T>(
  names: readonly string[],
  context: Pick<CommandContext, 'terminal' | 'connection' | 'signal'>,
  { act, view, format }: Shown<T>,
): Promise<void> {
  const found: T[] = []
  const errors: UserError[] = []
  for (const name of names) {
    try {
      found.push(await act(name))
    } catch (error) {
      const reported = await asUserError(error, context)
      errors.push(reported)
      if (reported.code === 'LKS-4001') break
    }
  }
  if (found.length > 0 || errors.length === 0) show(context.terminal, format, view(found))
  const [first] = errors
  if (first === undefined) return
  if (errors.length === 1) throw first
  throw new UserError(first.code, {
    what: `${errors.length} of ${names.length} could not be shown`,
    why: errors.map(({ what }) => what).join('; '),
    fix: first.fix,
    cause: first,
  })
}

/** Rejects at the end if there was a failure; with several names, each failure is printed as it occurs. */
export async function forEachName(
  names: readonly string[],
  { terminal, connection, signal }: Pick<CommandContext, 'terminal' | 'connection' | 'signal'>,
  act: (name: string) => Promise<void>,
): Promise<void> {
  let last: UserError | undefined
  let done = 0
  let failed = 0
  for (const name of names) {
    try {
      await act(name)
      done += 1
    } catch (error) {
      last = await asUserError(error, { connection, signal })
      failed += 1
      if (names.length > 1) terminal.talk.write(`${name}: ${last.what}\n`)
      // The connection is lost, so the other names would fail in the same way.
      if (last.code === 'LKS-4001') break
    }
  }
  if (last === undefined) return
  if (names.length === 1) throw last
  throw new UserError(last.code, {
    what: `${failed} of ${names.length} failed, ${done} succeeded`,
    why: last.message,
    fix: last.fix,
    cause: last,
  })
}

/** Rejects with the error when the command was interrupted. */
async function asUserError(error: unknown, { connection, signal }: Pick<CommandContext, 'connection' | 'signal'>): Promise<UserError> {
  if (signal.aborted) throw error
  return error instanceof UserError ? error : await explainClient(error, connection)
}
