// The pages and examples that travel with the published package, because its readers have no clone. A link to a file that does not travel becomes plain text.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

export const travelling: readonly string[] = [
  'docs/guides/getting-started.md',
  'docs/guides/in-a-test.md',
  'docs/guides/faults.md',
  'docs/guides/clock-and-forks.md',
  'docs/reference/apis.md',
  'docs/reference/cli.md',
  'docs/reference/compatibility.md',
  'docs/reference/configuration.md',
  'docs/reference/kafka-differences.md',
  'examples/in-a-test.ts',
  'examples/kafkajs.ts',
  'examples/lost-ack.ts',
]

/** The text of one file as it is in the package. */
export function travelled(path: string, text: string): string {
  if (!path.endsWith('.md')) return text.replaceAll('--conditions=lks-source ', '')
  return text.replaceAll(/\[([^\]]+)\]\(([^)#\s]+)(#[^)\s]*)?\)/g, (link, words: string, to: string) => {
    if (/^[a-z]+:/.test(to)) return link
    return travelling.includes(posix.join(posix.dirname(path), to)) ? link : words
  })
}

/** Copies the files from the repository into the folder, under the same paths. */
export function copyTravelling(repository: string, into: string): void {
  for (const path of travelling) {
    const to = join(into, path)
    mkdirSync(dirname(to), { recursive: true })
    writeFileSync(to, travelled(path, readFileSync(join(repository, path), 'utf8')))
  }
}

const root = join(import.meta.dirname, '../..')
if (import.meta.main) copyTravelling(root, join(root, 'packages/local-kafka-service/dist'))
