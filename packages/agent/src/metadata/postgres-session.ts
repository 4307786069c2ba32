// The first message of each transaction on PostgreSQL: it sets the time-outs, and asks the server whether a commit on it lasts.
import type { PoolClient, QueryResult } from 'pg'
import { must } from '../core/assert.ts'
import { MetadataError } from './metadata-store.ts'

/**
 * The time-outs are set in the transaction, not in the session, so they hold behind a pooler, too. All are below the client's own deadline. Rejects when the
 * server must not be used now: no write may follow then.
 */
export async function begin(client: PoolClient, deadlineMs: number): Promise<{ readonly timeline: number }> {
  const found = await facts(client, deadlineMs)
  const problem = problemOf(found)
  if (problem !== undefined) throw new MetadataError('unavailable', problem, { reason: 'unsafe settings' })
  return found
}

/** For the start: the same, but a problem is not retried. Ends the transaction that it begins. */
export async function checkSession(client: PoolClient): Promise<{ readonly system: string; readonly timeline: number }> {
  const found = await facts(client, checkMs)
  await client.query('ROLLBACK')
  const problem = problemOf(found)
  if (problem !== undefined) throw new MetadataError('invalid', problem, { reason: 'unsafe settings' })
  const { rows } = await client.query<{ readonly system: string }>('SELECT system_identifier::text AS system FROM pg_control_system()')
  return { system: must(rows[0], 'the identifier of the system').system, timeline: found.timeline }
}

const checkMs = 5_000

/** A client that stops between its two messages holds row locks, but no longer than this. When it wakes up, it can no longer commit. */
const idleInTransactionMs = 2_000

interface ServerFacts {
  readonly synchronousCommit: string
  readonly timeouts: readonly string[]
  /** A promotion raises it. */
  readonly timeline: number
}

/** One message, so that it costs no round trip of its own. */
async function facts(client: PoolClient, deadlineMs: number): Promise<ServerFacts> {
  const timeoutMs = Math.max(1, Math.floor(deadlineMs * 0.8))
  const text =
    `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL search_path TO lks; SET LOCAL lock_timeout = ${timeoutMs}; ` +
    `SET LOCAL statement_timeout = ${timeoutMs}; SET LOCAL idle_in_transaction_session_timeout = ${idleInTransactionMs}; ${question}`
  const answer: unknown = await client.query({ text, ...bounded(deadlineMs) })
  // The cast: pg answers a message of several statements with one result for each, which its types do not say. The last one is the question's.
  const row = must((answer as readonly QueryResult<Facts>[]).at(-1)?.rows[0], 'the answer of the question')
  return { synchronousCommit: row.synchronous_commit, timeouts: row.timeouts.split(' '), timeline: row.timeline }
}

interface Facts {
  readonly synchronous_commit: string
  readonly timeouts: string
  readonly timeline: number
}

/** The client's own time-out of a message. Without it a pooler that waits for its server, or a network that drops packets, would hold a commit for minutes. */
export function bounded(deadlineMs: number): { readonly query_timeout: number } {
  return { query_timeout: Math.max(1, Math.ceil(deadlineMs)) }
}

/** The name of a WAL file begins with the timeline. pg_control_checkpoint() is a second late after a promotion. */
const question = `SELECT current_setting('synchronous_commit') AS synchronous_commit, concat_ws(' ', current_setting('lock_timeout'),
  current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout')) AS timeouts,
  ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int AS timeline`

/** Undefined: a commit on this server lasts. */
function problemOf({ synchronousCommit, timeouts }: ServerFacts): string | undefined {
  if (synchronousCommit === 'off')
    return 'PostgreSQL has synchronous_commit = off: a crash would lose commits that it has answered. Set it to on for this database and this user.'
  if (timeouts.includes('0'))
    return 'PostgreSQL has not taken the time-outs of the transaction. A pooler in between must pass SET LOCAL on, as PgBouncer does in transaction mode.'
  return undefined
}
