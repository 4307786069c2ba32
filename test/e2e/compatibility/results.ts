// What a run of tests changes in the results: the rows whose tests ran. A filtered run keeps the others.
import { type ClientName, clientNames, type Exercised, exercised, type Results } from './exercised.ts'

/** `statesOf`: the states of the tests that prove a row. `versionOf`: is called only for clients whose tests ran. */
export function resultsAfter(
  earlier: Results,
  statesOf: (row: Exercised) => readonly string[],
  versionOf: (client: ClientName) => string,
): Results {
  const entries = clientNames.map((client) => {
    const before = earlier[client]
    const rows = exercised.filter((row) => row.client === client).map((row) => ({ what: row.what, states: statesOf(row) }))
    if (!rows.some(({ states }) => ran(states))) return [client, before] as const
    const version = versionOf(client)
    const passed = rows.filter(({ what, states }) =>
      // A row that an earlier version passed says nothing of this one.
      ran(states) ? !states.includes('failed') : before?.version === version && before.passed.includes(what),
    )
    return [client, { version, passed: passed.map(({ what }) => what) }] as const
  })
  return Object.fromEntries(entries.filter(([, result]) => result !== undefined))
}

function ran(states: readonly string[]): boolean {
  return states.includes('passed') || states.includes('failed')
}
