// An intercepted database does what the interceptor decides for each transaction, and never reports more than a real database would.
import { expect, test } from 'vitest'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { interceptedSql, type RunFate } from './intercepted.ts'
import { type Body, read, type Sql, type TransactionOutcome } from './sql.ts'

function* add({ amount }: { readonly amount: number }): Body<number> {
  yield* read()
  return { writes: [], value: amount }
}
type Counting = { readonly add: typeof add }

function counting(outcome: TransactionOutcome<number>['kind'] = 'committed') {
  const ran: string[] = []
  const sql: Sql<Counting> = {
    async run(transaction) {
      ran.push(transaction)
      // The cast: this database has one transaction, whose answer is a number.
      return (outcome === 'committed' ? { kind: 'committed', value: 7 } : { kind: outcome, error: new Error('it said so') }) as never
    },
    close: async () => {},
  }
  return { ran, sql }
}

async function decided(
  fate: RunFate,
  { outcome, deadlineMs = 1_000 }: { readonly outcome?: TransactionOutcome<number>['kind']; readonly deadlineMs?: number } = {},
) {
  const clock = new ManualClock()
  const { ran, sql } = counting(outcome)
  const running = interceptedSql(sql, clock, () => fate).run('add', { amount: 1 }, deadlineMs)
  await clock.advance(deadlineMs)
  return { ran, outcome: await running }
}

test('unreachable: nothing runs, and the outcome is definite', async () => {
  const { ran, outcome } = await decided({ act: { kind: 'unreachable' } })
  expect(ran).toEqual([])
  expect(outcome).toMatchObject({ kind: 'rolled back', error: { kind: 'unavailable', reason: 'unreachable' } })
})

test('a lost reply: the transaction ran, and the caller cannot know', async () => {
  const { ran, outcome } = await decided({ act: { kind: 'lose reply' } })
  expect(ran).toEqual(['add'])
  expect(outcome).toMatchObject({ kind: 'unknown', error: { kind: 'unavailable' } })
})

test('a transaction that the database itself rejected stays definite when its reply is to be lost', async () => {
  const { outcome } = await decided({ act: { kind: 'lose reply' } }, { outcome: 'rolled back' })
  expect(outcome).toMatchObject({ kind: 'rolled back', error: { message: 'it said so' } })
})

test('a delay below the caller’s deadline: the transaction runs late; beyond the deadline it is never sent', async () => {
  const late = await decided({ act: { kind: 'pass' }, waitMs: 400 })
  expect([late.ran, late.outcome]).toEqual([['add'], { kind: 'committed', value: 7 }])
  const never = await decided({ act: { kind: 'pass' }, waitMs: 5_000 })
  expect(never.ran).toEqual([])
  expect(never.outcome).toMatchObject({ kind: 'rolled back', error: { kind: 'unavailable' } })
})
