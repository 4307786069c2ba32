// A process that creates topics until its files may grow no more, and prints the outcomes. sqlite.test.ts starts it under a file size limit.
import type { Cluster } from '../cluster.ts'
import { SqliteDatabase } from '../sqlite.ts'

export interface Filled {
  readonly kinds: Readonly<Record<string, number>>
  /** The number of topics acknowledged as created, and of topics in the database. */
  readonly made: readonly string[]
  readonly found: readonly string[]
}

const database = new SqliteDatabase({ path: process.argv[2] ?? '', durability: 'os' })
const [, opened] = database.run([
  { transaction: 'migrate', input: {} },
  { transaction: 'openCluster', input: { newClusterId: 'filling', newSlots: 16 } },
])
if (opened?.kind !== 'committed') throw new Error('not opened')
const { cluster } = opened.value as { readonly cluster: Cluster }
const kinds: Record<string, number> = {}
const made: string[] = []
for (let number = 0; number < 300; number++) {
  const name = `topic-${number}`
  const input = { topicId: name, name, partitions: 50, configs: {}, dryRun: false }
  const [outcome] = database.run([{ transaction: 'createTopic', input: { cluster, input } }])
  const kind = outcome?.kind ?? 'nothing'
  kinds[kind] = (kinds[kind] ?? 0) + 1
  if (kind === 'committed') made.push(name)
}
const [listed] = database.run([{ transaction: 'listTopics', input: { cluster, input: {} } }])
const found = listed?.kind === 'committed' ? (listed.value as readonly { readonly name: string }[]).map(({ name }) => name) : []
database.close()
process.stdout.write(JSON.stringify({ kinds, made, found } satisfies Filled))
