// Planted bugs of upkeep: each removes what a reader, or a topic that is brought back, still needs.
import type { PlantedBug } from './planted-bug.ts'

const sweep = 'agent/src/upkeep/sweep.ts'

export const upkeepBugs: readonly PlantedBug[] = [
  {
    name: 'purge while a fetch plan still reads',
    scenario: 'purge',
    edits: [{ file: sweep, find: 'await sleep(clock, limits.readersGraceMs, signal)', replace: 'await sleep(clock, 1, signal)' }],
  },
  {
    name: 'a topic is brought back although its purge has begun',
    scenario: 'purge',
    edits: [
      {
        file: 'agent/src/metadata/topics.ts',
        find: "if (row === undefined || row.purgeBeganAtMs !== null) return unchanged({ kind: 'unknown' })",
        replace: "if (row === undefined) return unchanged({ kind: 'unknown' })",
      },
    ],
  },
  {
    name: 'sweep by age',
    scenario: 'retention',
    edits: [
      {
        file: sweep,
        find: 'const named = await this.#namedAmong(candidates, signal)',
        replace: 'const named = new Set<string>()',
      },
    ],
  },
]
