// One text becomes two: positional parameters, notation that only PostgreSQL has, and one run over a whole list.
import { describe, expect, test } from 'vitest'
import { AssertionError } from '../core/assert.ts'
import { columnArguments, rowArguments, statement, statementPerRow } from './statement.ts'

interface Fruit {
  readonly name: string
  readonly weight: number
}
const columns = { name: 'text', weight: 'bigint' } as const
const fruit: readonly Fruit[] = [
  { name: 'apple', weight: 3 },
  { name: 'pear', weight: 5 },
]

describe('a statement that runs once', () => {
  const { statement: made } = statement<{ readonly id: number; readonly name: string }>(
    'find',
    'SELECT $name::text, n FROM t WHERE a = $id AND b = $id AND cluster = $cluster ORDER BY n FOR NO KEY UPDATE OF t',
  )({ id: 7, name: 'x' })

  test('has positional parameters, each once', () => {
    expect(made.postgres).toEqual({
      text: 'SELECT $1::text, n FROM t WHERE a = $2 AND b = $2 AND cluster = $3 ORDER BY n FOR NO KEY UPDATE OF t',
      parameters: ['name', 'id', 'cluster'],
    })
  })

  test('has neither casts nor locks in SQLite', () => {
    expect(made.sqlite).toEqual({
      text: 'SELECT ?1, n FROM t WHERE a = ?2 AND b = ?2 AND cluster = ?3 ORDER BY n',
      parameters: ['name', 'id', 'cluster'],
    })
  })

  test('takes its values by name, and the bound cluster', () => {
    const call = {
      ...statement<{ readonly id: number }>('by id', 'SELECT 1 FROM t WHERE cluster = $cluster AND id = $id')({ id: 7 }),
      cluster: 2,
    }
    expect(columnArguments(call)).toEqual([2, 7])
    expect(rowArguments(call)).toEqual([[2, 7]])
  })

  test('without a bound cluster, or without a value, is a defect', () => {
    const call = statement<{ readonly id: number }>('by id', 'SELECT 1 FROM t WHERE cluster = $cluster AND id = $id')({ id: 7 })
    expect(() => columnArguments(call)).toThrow(AssertionError)
    expect(() => rowArguments(call)).toThrow(AssertionError)
    const lacking = statementPerRow<Fruit>('lacking', columns, 'DELETE FROM t WHERE name = $name AND weight = $weight')
    // The cast makes the defect that the types rule out.
    expect(() => rowArguments(lacking([{ name: 'apple' } as Fruit]))).toThrow(AssertionError)
  })
})

describe('a statement that runs for each row', () => {
  const list = (first: number): string => `unnest($${first}::text[], $${first + 1}::bigint[]) AS r ("$name", "$weight")`
  const postgres = (text: string): string => statementPerRow<Fruit>('each', columns, text)(fruit).statement.postgres.text

  test('INSERT takes its values from the list', () => {
    expect(postgres('INSERT INTO t (cluster, a, b, at) VALUES ($cluster, $name, $weight, now_ms()) ON CONFLICT (a) DO NOTHING')).toBe(
      `INSERT INTO t (cluster, a, b, at) SELECT $1::int, r."$name", r."$weight", now_ms() FROM ${list(2)} ON CONFLICT (a) DO NOTHING`,
    )
  })

  test('UPDATE, DELETE and SELECT join the list', () => {
    expect(postgres('UPDATE t SET b = $weight WHERE a = $name')).toBe(`UPDATE t SET b = r."$weight" FROM ${list(1)} WHERE a = r."$name"`)
    expect(postgres('DELETE FROM t WHERE a = $name AND b < $weight')).toBe(
      `DELETE FROM t USING ${list(1)} WHERE a = r."$name" AND b < r."$weight"`,
    )
    expect(postgres('SELECT a FROM t WHERE a = $name ORDER BY a FOR NO KEY UPDATE OF t')).toBe(
      `SELECT a FROM t CROSS JOIN ${list(1)} WHERE a = r."$name" ORDER BY a FOR NO KEY UPDATE OF t`,
    )
  })

  test('SELECT with a limit finds the rows of each by itself', () => {
    expect(postgres('SELECT a FROM t WHERE a > $name ORDER BY a LIMIT $weight')).toBe(
      `SELECT found.* FROM ${list(1)} CROSS JOIN LATERAL (SELECT a FROM t WHERE a > r."$name" ORDER BY a LIMIT r."$weight") AS found`,
    )
  })

  test('a second text names the list by $rows', () => {
    const { statement: made } = statementPerRow<Fruit>('own', columns, { postgres: 'SELECT $name FROM $rows', sqlite: 'SELECT $name' })(
      fruit,
    )
    expect(made.postgres.text).toBe(`SELECT r."$name" FROM ${list(1)}`)
    expect(made.sqlite.text).toBe('SELECT ?1')
  })

  test('PostgreSQL gets a column for each name, SQLite a run for each row; shared values are passed once', () => {
    const call = statementPerRow<Fruit, Record<never, never>, { readonly owner: number }>(
      'shared',
      columns,
      'UPDATE t SET owner = $owner, b = $weight WHERE cluster = $cluster AND a = $name',
    )(fruit, { owner: 9 })
    expect(columnArguments({ ...call, cluster: 1 })).toEqual([9, 1, ['apple', 'pear'], [3, 5]])
    expect(rowArguments({ ...call, cluster: 1 })).toEqual([
      [9, 3, 1, 'apple'],
      [9, 5, 1, 'pear'],
    ])
  })

  test('does not run over an empty list', () => {
    expect(rowArguments(statementPerRow<Fruit>('none', columns, 'DELETE FROM t WHERE a = $name AND b = $weight')([]))).toEqual([])
  })
})
