// All tables of requests, in the order in which they run.
import type { RequestRow } from '../row.ts'
import { clusterTable } from './cluster.ts'
import { committedTable } from './committed.ts'
import { configTable } from './configs.ts'
import { fetchTable } from './fetch.ts'
import { groupTable } from './groups.ts'
import { produceTable } from './produce.ts'
import { toolTable } from './tools.ts'
import { topicRows } from './topics.ts'
import { transactionOffsetTable } from './transaction-offsets.ts'
import { transactionReadTable } from './transaction-reads.ts'
import { transactionTable } from './transactions.ts'
import { unservedTable } from './unserved.ts'
import { wireTable } from './wire.ts'

export const tables: readonly RequestRow[] = [
  ...topicRows,
  ...produceTable,
  ...fetchTable,
  ...clusterTable,
  ...configTable,
  ...toolTable,
  ...groupTable,
  ...committedTable,
  ...transactionTable,
  ...transactionOffsetTable,
  ...transactionReadTable,
  ...unservedTable,
  ...wireTable,
]
