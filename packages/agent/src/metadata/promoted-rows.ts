// The rows of one cluster on their way from an SQLite file into a PostgreSQL, in one transaction there.
import { DatabaseSync } from 'node:sqlite'
import type { Pool, PoolClient } from 'pg'
import { must } from '../core/assert.ts'
import type { ClusterId, IncarnationId, Nonce, Sequence } from '../core/ids.ts'
import { lockSchema } from './schema.ts'

/** The rows to promote: a database of the current schema that no server uses. */
export class PromotedRows {
  readonly clusterId: ClusterId
  /** Of the cluster's row: with the id it shows that a database has these rows already. */
  readonly createdAtMs: number
  readonly #database: DatabaseSync
  readonly #number: number

  /** Throws SQLite's error, or a RangeError if the file has no cluster or several. */
  constructor(path: string) {
    this.#database = new DatabaseSync(path, { readOnly: true })
    // The cast is at the border of the database: the statement names these columns.
    const clusters = this.#database
      .prepare('SELECT cluster, cluster_id AS id, created_at_ms AS createdAtMs FROM clusters')
      .all() as unknown as readonly {
      readonly cluster: number
      readonly id: ClusterId
      readonly createdAtMs: number
    }[]
    const [only, ...more] = clusters
    if (only === undefined || more.length > 0) {
      this.#database.close()
      throw new RangeError(`${path} has ${clusters.length} clusters, and must have one`)
    }
    this.clusterId = only.id
    this.createdAtMs = only.createdAtMs
    this.#number = only.cluster
  }

  /** Every object that the database knows. `isNamed`: a segment names it, so it must exist; the others may be gone already. */
  objects(): readonly PromotedObject[] {
    const rows = this.#database
      .prepare(
        `SELECT o.incarnation AS id, i.nonce, o.sequence, o.size_bytes AS sizeBytes, EXISTS (SELECT 1 FROM segments AS s
          WHERE s.cluster = o.cluster AND s.incarnation = o.incarnation AND s.sequence = o.sequence AND s.size_bytes > 0) AS named
          FROM objects AS o JOIN incarnations AS i ON i.cluster = o.cluster AND i.incarnation = o.incarnation
          WHERE o.cluster = ? ORDER BY o.incarnation, o.sequence`,
      )
      .all(this.#number) as unknown as readonly (Omit<PromotedObject, 'isNamed'> & { readonly named: number })[]
    return rows.map(({ named, ...object }) => ({ ...object, isNamed: named === 1 }))
  }

  /**
   * Writes all rows in one transaction, under a number of their own; nothing if the database has them already. No incarnation of the directory lives there: all
   * are fenced, and no slot has an owner. `almost` is called before COMMIT. Rejects with the driver's error; the outcome is then unknown, and the next call shows it.
   */
  async writeInto(pool: Pool, almost: () => void): Promise<'written' | 'there' | 'another cluster'> {
    const client = await pool.connect()
    let broken = true
    try {
      await client.query('BEGIN')
      await client.query('SET LOCAL search_path TO lks')
      await client.query(lockSchema().statement.postgres.text)
      const { rows: there } = await client.query<{ readonly createdAtMs: number }>(
        'SELECT created_at_ms AS "createdAtMs" FROM clusters WHERE cluster_id = $1',
        [this.clusterId],
      )
      if (there[0] === undefined) await this.#writeAll(client, almost)
      const { command } = await client.query('COMMIT')
      if (command !== 'COMMIT') throw new Error(`PostgreSQL answered COMMIT with ${command}`)
      broken = false
      if (there[0] === undefined) return 'written'
      return Number(there[0].createdAtMs) === this.createdAtMs ? 'there' : 'another cluster'
    } finally {
      client.release(broken)
    }
  }

  close(): void {
    this.#database.close()
  }

  async #writeAll(client: PoolClient, almost: () => void): Promise<void> {
    const { rows } = await client.query<{ readonly number: number }>('SELECT (coalesce(max(cluster), 0) + 1)::int AS number FROM clusters')
    const { number } = must(rows[0], 'a number for the cluster')
    for (const table of this.#tables()) await this.#writeTable(client, table, number)
    await client.query(
      `UPDATE incarnations SET state = 'fenced', fenced_at_ms = (extract(epoch FROM clock_timestamp()) * 1000)::bigint WHERE cluster = $1 AND state = 'active'`,
      [number],
    )
    await client.query('UPDATE slots SET owner = NULL WHERE cluster = $1', [number])
    almost()
  }

  /** The tables of clusters. The others describe the database itself. */
  #tables(): readonly string[] {
    const rows = this.#database
      .prepare(
        `SELECT t.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c ON c.name = 'cluster' WHERE t.type = 'table' ORDER BY t.name`,
      )
      .all() as unknown as readonly { readonly name: string }[]
    return rows.map(({ name }) => name)
  }

  async #writeTable(client: PoolClient, table: string, number: number): Promise<void> {
    // Both databases have the schema of this version. The types are PostgreSQL's, because arrays need one.
    const { rows: columns } = await client.query<{ readonly name: string; readonly type: string }>(
      `SELECT column_name AS name, data_type AS type FROM information_schema.columns WHERE table_schema = 'lks' AND table_name = $1
        AND column_name <> 'cluster' ORDER BY ordinal_position`,
      [table],
    )
    const names = columns.map(({ name }) => `"${name}"`).join(', ')
    const arrays = columns.map(({ type }, index) => `$${index + 2}::${type}[]`).join(', ')
    const insert = `INSERT INTO "${table}" (cluster, ${names}) SELECT $1, * FROM unnest(${arrays})`
    const read = this.#database.prepare(`SELECT ${names} FROM "${table}" WHERE cluster = ?`)
    let some: Readonly<Record<string, unknown>>[] = []
    const write = async (): Promise<void> => {
      if (some.length === 0) return
      const lists = columns.map(({ name }) => some.map((row) => row[name]))
      await client.query(insert, [number, ...lists])
      some = []
    }
    for (const row of read.iterate(this.#number)) {
      some.push(row)
      if (some.length >= rowsAtOnce) await write()
    }
    await write()
  }
}

/** Few enough that one statement stays far below the driver's time-out. */
const rowsAtOnce = 2_000

export interface PromotedObject {
  readonly id: IncarnationId
  readonly nonce: Nonce
  readonly sequence: Sequence
  readonly sizeBytes: number
  readonly isNamed: boolean
}
