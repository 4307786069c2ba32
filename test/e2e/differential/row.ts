// The words that the tables of requests are written in: a row is an API and a conversation, held in each of its versions with both servers.
import type { Api } from '@local-kafka-service/protocol'
import { inVersions } from '../../../packages/protocol/src/schema/versions.ts'
import type { Conversation } from './conversation.ts'
import type { Difference } from './differences.ts'

export interface RequestRow {
  readonly api: Api
  /** The request in words. */
  readonly what: string
  readonly versions: readonly number[]
  /** Ids of accepted differences that the answers show. */
  readonly differs: readonly string[]
  /**
   * Held while no other conversation is. Kafka asks its coordinator about records of a transaction for several requests at once, and answers an old version of
   * Produce or TxnOffsetCommit with TRANSACTION_ABORTABLE, which it does not know, when a new version is among them.
   */
  readonly alone: boolean
  readonly talk: Talk
}

export type Talk = (conversation: Conversation) => Promise<void>

export interface RowOptions {
  /** Without it every version of the API. */
  readonly versions?: Difference['versions']
  readonly differs?: readonly string[]
}

/** The rows of one API. */
export function rowsOf(
  api: Api,
  add: (row: (what: string, talk: Talk, options?: RowOptions) => void) => void,
  { alone = false }: Partial<Pick<RequestRow, 'alone'>> = {},
): readonly RequestRow[] {
  const rows: RequestRow[] = []
  const [min, max] = api.versions
  const all = Array.from({ length: max - min + 1 }, (_, index) => min + index)
  add((what, talk, { versions, differs = [] } = {}) => {
    rows.push({ api, what, versions: all.filter((version) => inVersions(versions, version)), differs, alone, talk })
  })
  return rows
}
