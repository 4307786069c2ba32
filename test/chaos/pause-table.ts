// The pauses of clients as a table in Markdown, and the errors that their applications saw.
import type { ClientPauses, Quantiles } from './pauses.ts'
import type { Counted } from './plans.ts'

export function describePauses(all: readonly ClientPauses[], counts: Counted): string {
  const columns = columnsOf(counts)
  const rows = all.map((one) => {
    const { acknowledged, received } = one
    const cells = [
      one.client,
      ...[acknowledged.calm, acknowledged.counted, received.calm, received.counted].map(describeQuantiles),
      one.longestUnwritableMs,
      one.failedSends,
      one.errors.length - one.failedSends,
      one.rejoins,
      one.receivedAgain,
    ]
    return `| ${cells.join(' | ')} |`
  })
  const errors = all.flatMap(({ client, errors: texts }) =>
    [...Map.groupBy(texts, (text) => text)].map(([text, same]) => `${client}, ${same.length} ×: ${text}`),
  )
  return [`| ${columns.join(' | ')} |`, `|${'---|'.repeat(columns.length)}`, ...rows, ...errors].join('\n')
}

const columnsOf = (counts: Counted): readonly string[] => [
  'client',
  'acknowledged, calm: p50, p99, longest, ms',
  `${counts}`,
  'received, calm: p50, p99, longest, ms',
  `${counts}`,
  'longest without an acknowledgement of a partition, ms',
  'failed sends',
  'other errors',
  'rejoins',
  'received again',
]

function describeQuantiles({ p50Ms, p99Ms, maxMs }: Quantiles): string {
  return `${p50Ms}, ${p99Ms}, ${maxMs}`
}
