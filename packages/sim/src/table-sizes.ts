// The number of rows in each table of a world's database.
import { DatabaseSync } from 'node:sqlite'
import { threadId } from 'node:worker_threads'
import { type CopyableSql, memoryName, type Transactions } from '@local-kafka-service/agent/simulation'

/** Counts in a copy: the port of the database has no statement for it. */
export async function tableSizes(sql: CopyableSql<Transactions>): Promise<ReadonlyMap<string, number>> {
  // The whole process shares the names of databases in memory.
  const name = memoryName(`world-${threadId}-${(copies += 1)}`)
  const copy = new DatabaseSync(name)
  try {
    await sql.copyInto(name)
    const tables = copy.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).all()
    const count = (table: string): number => Number(copy.prepare(`SELECT count(*) AS count FROM "${table}"`).get()?.['count'])
    return new Map(tables.map((row) => [String(row['name']), count(String(row['name']))]))
  } finally {
    copy.close()
  }
}

let copies = 0
