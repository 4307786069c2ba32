// The page of differences between this server and Apache Kafka, and the check of its rows.
import type { Difference } from '../../test/e2e/differential/differences.ts'
import { type AdvertisedApi, notServed } from './kafka-apis.ts'

export function differencesPage(rows: readonly Difference[], served: readonly AdvertisedApi[]): string {
  const sections = served
    .map(({ name }) => ({ name, of: rows.filter(({ api }) => api === name) }))
    .filter(({ of }) => of.length > 0)
    .map(({ name, of }) => section(name, of))
  return `# Differences from Apache Kafka

The differential test (\`test/e2e/differential\`) sends the same requests, in every version, to this server and to Apache Kafka 4.3, and compares the answers field by field.
Each row below is a difference that it finds and that stays, with the reason; the test fails for any other difference, and for a row that is no longer true.
Ids, ports, times and leader epochs differ by their nature and are not compared as such.

${sections.join('\n\n')}

## APIs that are not served

A request for one of these closes the connection. ApiVersions does not advertise them, so clients report that the broker does not support the call.

| API | key |
|---|---|
${notServed(served)
  .map(([key, name]) => `| ${name} | ${key} |`)
  .join('\n')}
`
}

/** Also exported for its test. `source` returns a file's text by its path, empty if there is no such file. */
export function differencesProblems(
  rows: readonly Difference[],
  { served, source }: { readonly served: readonly AdvertisedApi[]; readonly source: (path: string) => string },
): readonly string[] {
  const where = 'test/e2e/differential/differences.ts'
  const ids = rows.map(({ id }) => id)
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${where}: the id ${id} occurs twice`)
  const unknown = rows
    .filter(({ api }) => !served.some(({ name }) => name === api))
    .map(({ id, api }) => `${where}: ${id} is about ${api}, which the server does not serve`)
  const untested = rows.flatMap(({ id, evidence }) =>
    'file' in evidence && !source(evidence.file).includes(evidence.title)
      ? [`${where}: ${id} is proven by a test in ${evidence.file} that has no "${evidence.title}"`]
      : [],
  )
  return [...twice, ...unknown, ...untested]
}

function section(api: string, rows: readonly Difference[]): string {
  return `## ${api}

| versions | request | Apache Kafka | this server | why |
|---|---|---|---|---|
${rows.map(row).join('\n')}`
}

function row({ versions, request, kafka, ours, why, clientsTried = [] }: Difference): string {
  const tried = clientsTried.length === 0 ? '' : ` Tried with ${clientsTried.join(', ')}.`
  return `| ${versions} | ${cell(request)} | ${cell(kafka)} | ${cell(ours)} | ${cell(why + tried)} |`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
