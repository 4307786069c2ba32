// A test's own connection to a PostgreSQL.
import pg from 'pg'

export interface TestConnection extends AsyncDisposable {
  /** Numbers of 64 bits arrive as numbers. */
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
}

/** Rejects when the server does not answer within 5 s. */
export async function connectTo(url: string): Promise<TestConnection> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') => (oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text')),
    },
  })
  client.on('error', () => {}) // Its queries reject.
  await client.connect()
  return {
    query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await client.query(text, [...values])).rows as Row[],
    [Symbol.asyncDispose]: () => client.end(),
  }
}

const int8 = 20
