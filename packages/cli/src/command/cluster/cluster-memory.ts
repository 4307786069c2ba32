// lks cluster memory: the memory that a server holds for clients, by part, and what each part may hold.
import type { ClientCommand } from '../client-command.ts'
import { controlOption } from '../control-option.ts'
import { controlPlaneOf } from '../control-plane-of.ts'
import { bytesText } from '../output/bytes-text.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import { type MemoryPart, memoryParts } from './memory-parts.ts'

export const clusterMemory: ClientCommand = {
  path: ['cluster', 'memory'],
  summary: 'Show what a server holds in memory for clients.',
  arguments: [],
  options: [controlOption, outputOption],
  examples: ['lks cluster memory', 'lks cluster memory --url http://kafka.internal:8000 -o json'],
  standalone: true,
  async run(given, context) {
    const parts = memoryParts(await controlPlaneOf(given, context).text('/metrics'))
    const sum = (of: (part: MemoryPart) => number): number => parts.reduce((total, part) => total + of(part), 0)
    const all = { part: 'all', usedBytes: sum(({ usedBytes }) => usedBytes), limitBytes: sum(({ limitBytes }) => limitBytes) }
    show(context.terminal, formatOf(given), {
      value: { parts, usedBytes: all.usedBytes, limitBytes: all.limitBytes },
      names: parts.map(({ part }) => part),
      blocks: [tableBlock(columns, [...parts, all])],
    })
  },
}

const columns: readonly Column<MemoryPart>[] = [
  { header: 'PART', value: ({ part }) => part },
  { header: 'USED', value: ({ usedBytes }) => bytesText(usedBytes), align: 'right' },
  { header: 'LIMIT', value: ({ limitBytes }) => bytesText(limitBytes), align: 'right' },
]
