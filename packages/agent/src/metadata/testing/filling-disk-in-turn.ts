// A process that commits in turn until its files may grow no more, and prints the outcomes. sqlite-in-turn.test.ts starts it under a file size limit.
import { openSqliteInTurn } from '../sqlite-in-turn.ts'
import { committingChain } from './committing-chain.ts'

export interface FilledInTurn {
  readonly kinds: Readonly<Record<string, number>>
  /** The number of acknowledged commits, and of offsets in the log. */
  readonly committed: number
  readonly highWatermark: number | undefined
}

const sql = await openSqliteInTurn({ path: process.argv[2] ?? '', onNotice: () => {} })
const chain = await committingChain(sql)
const kinds: Record<string, number> = {}
for (let tries = 0; tries < 2_000; tries++) {
  const { kind } = await chain.commit()
  kinds[kind] = (kinds[kind] ?? 0) + 1
}
const highWatermark = await chain.highWatermark()
await sql.close()
process.stdout.write(JSON.stringify({ kinds, committed: chain.committed, highWatermark } satisfies FilledInTurn))
