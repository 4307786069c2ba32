// One SQL statement, written once: named parameters, and the rewriting that gives each dialect its own form.
//
// `$name` is a parameter. `$cluster` is bound for the whole transaction (`inCluster`). Times come from `now_ms()`, the database's clock in milliseconds.
// A statement that runs once for each row of a list is written for one row. SQLite runs it as it stands, row after row. PostgreSQL runs it once over all
// rows: the list becomes `unnest(…) AS r (…)`, and a parameter that is a column of the list becomes a column of `r`.
import { must } from '../core/assert.ts'
import type { Arg, Call, Prepared, Statement } from './sql.ts'

/** The text of a statement. There is a second text only where the dialects differ in more than notation; a comment beside it says how. */
export type Text = string | { readonly postgres: string; readonly sqlite: string }

/** PostgreSQL's type of a list's column. */
export type ColumnType = 'int' | 'bigint' | 'text'

type ColumnTypeOf<Value> = [Value] extends [string | null] ? 'text' : 'int' | 'bigint'

/** No parameters, or no columns. */
export type Nothing = Record<never, never>

/** The arguments of a statement: values by the names of its parameters. Further properties are ignored. */
type Values<T> = { readonly [Name in keyof T]: Arg }

type ListRow = Readonly<Record<string, Arg>>

/** The parameter that `inCluster` binds. */
export const clusterParameter = 'cluster'

/** A statement that runs once. */
export function statement<Takes extends Values<Takes> = Nothing, Gives extends object = Nothing>(
  name: string,
  text: Text,
): (...takes: keyof Takes extends never ? [] : [takes: Takes]) => Call<Gives> {
  const made = prepare(name, text, {})
  return (takes = {} as Takes) => ({ statement: made, values: takes as Call['values'] })
}

/**
 * A statement that runs once for each row of a list. `columns` names every column of a row with PostgreSQL's type. `Shared` are parameters that all rows have
 * in common. In PostgreSQL's own text, where there is one, `$rows` stands for the list.
 */
export function statementPerRow<Row extends Values<Row>, Gives extends object = Nothing, Shared extends Values<Shared> = Nothing>(
  name: string,
  columns: { readonly [Name in keyof Row]-?: ColumnTypeOf<Row[Name]> },
  text: Text,
): (rows: readonly Row[], ...shared: keyof Shared extends never ? [] : [shared: Shared]) => Call<Gives> {
  const made = prepare(name, text, columns)
  return (rows, shared = {} as Shared) => ({ statement: made, values: shared as Call['values'], rows: rows as readonly ListRow[] })
}

function prepare(name: string, text: Text, columns: Readonly<Record<string, ColumnType>>): Statement {
  const listed = Object.keys(columns)
  const own = typeof text === 'string' ? undefined : text
  const oneRow = typeof text === 'string' ? text : text.sqlite
  const manyRows = (): string => own?.postgres ?? (listed.length === 0 ? oneRow : overRows(oneRow))
  let sqlite: Prepared | undefined
  let postgres: Prepared | undefined
  // Each form is made at its first use: a start uses a few of all the statements, and one dialect.
  return {
    name,
    columns: new Set(listed),
    get sqlite() {
      return (sqlite ??= forSqlite(oneRow))
    },
    get postgres() {
      return (postgres ??= forPostgres(manyRows(), columns))
    },
  }
}

const parameter = /\$([a-z]\w*)/gi

/** SQLite has neither casts of this notation nor row locks. Parameters are `?1`, `?2` …: node:sqlite rejects `$1` for values bound by position. */
function forSqlite(text: string): Prepared {
  const parameters: string[] = []
  const plain = text.replace(/::\w+(\[\])?/g, '').replace(/\s+FOR (NO KEY UPDATE|SHARE)( OF \w+)?\s*$/, '')
  return { text: plain.replace(parameter, (_, name: string) => `?${numberOf(name, parameters)}`), parameters }
}

function forPostgres(text: string, columns: Readonly<Record<string, ColumnType>>): Prepared {
  const parameters: string[] = []
  const written = text.replace(parameter, (whole, name: string) => {
    if (name === 'rows') return whole
    return name in columns ? column(name) : `$${numberOf(name, parameters)}`
  })
  const arrays = Object.entries(columns).map(([name, type]) => `$${numberOf(name, parameters)}::${type}[]`)
  const names = Object.keys(columns).map((name) => `"$${name}"`)
  return { text: written.replaceAll('$rows', () => `unnest(${arrays.join(', ')}) AS r (${names.join(', ')})`), parameters }
}

/** The sign distinguishes it from the columns of tables. */
function column(name: string): string {
  return `r."$${name}"`
}

/** Rewrites a statement for one row into the form over all rows. */
function overRows(text: string): string {
  const [transaction] = text.trimStart().split(/\s/)
  switch (transaction) {
    case 'INSERT':
      return text
        .replace(/VALUES \((.*?)\)(?=\s*(ON CONFLICT|$))/s, 'SELECT $1 FROM $$rows')
        .replace('SELECT $cluster,', 'SELECT $cluster::int,')
    case 'UPDATE':
      return text.replace(/\sWHERE\s/, ' FROM $$rows WHERE ')
    case 'DELETE':
      return text.replace(/\sWHERE\s/, ' USING $$rows WHERE ')
    case 'SELECT':
      // A limit counts the rows of each list row, so these are looked up one by one; elsewhere a join may be planned in any order.
      return /\sLIMIT\s/.test(text)
        ? `SELECT found.* FROM $rows CROSS JOIN LATERAL (${text}) AS found`
        : text.replace(/\sWHERE\s/, ' CROSS JOIN $$rows WHERE ')
    default:
      throw new TypeError(`A statement that runs for each row begins with INSERT, UPDATE, DELETE or SELECT, not with ${transaction}.`)
  }
}

function numberOf(name: string, parameters: string[]): number {
  const known = parameters.indexOf(name)
  return known >= 0 ? known + 1 : parameters.push(asKey(name))
}

/** V8 looks a part of a text up in its table of names at each access to a property; the key of an object is in it. */
function asKey(name: string): string {
  return must(Object.keys({ [name]: 0 })[0], name)
}

/** The arguments of a call in PostgreSQL, by place: one array for each column of its list. */
export function columnArguments(call: Call): readonly (Arg | readonly Arg[])[] {
  const { statement: made, rows = [] } = call
  return made.postgres.parameters.map((name) =>
    made.columns.has(name) ? rows.map((row) => must(row[name], name)) : sharedArgument(call, name),
  )
}

/** The arguments of a call in SQLite, by place: one list for each run of the statement. A commit asks for some hundred of them, so what the rows share is looked up once. */
export function rowArguments(call: Call): readonly (readonly Arg[])[] {
  const { statement: made, rows = oneRun } = call
  if (rows.length === 0) return noRuns
  const { parameters } = made.sqlite
  const shared = parameters.map((name) => (made.columns.has(name) ? undefined : sharedArgument(call, name)))
  return rows.map((row) => parameters.map((name, at) => shared[at] ?? (shared[at] === null ? null : must(row[name], name))))
}

const noRuns: readonly (readonly Arg[])[] = []
const oneRun: readonly ListRow[] = [{}]

function sharedArgument({ cluster, values }: Call, name: string): Arg {
  return must(name === clusterParameter ? cluster : values[name], `the parameter ${name}`)
}
