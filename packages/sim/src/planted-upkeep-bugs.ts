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
    name: 'check-then-delete',
    scenario: 'purge',
    // It checks that the object has no row, and not that none can come.
    edits: [
      {
        file: 'agent/src/metadata/orphans.ts',
        find: "return state === 'active' && sequence > lastSequence ? { kind: 'open' } : { kind: 'uncommitted', lastSequence }",
        replace: "return { kind: 'uncommitted', lastSequence }",
      },
    ],
  },
  {
    name: 'late PUTs are never looked for',
    scenario: 'purge',
    edits: [
      {
        file: 'agent/src/upkeep/orphan-sweep.ts',
        find: '        if (!isMine()) return\n',
        replace: '        if (!isMine() || sweptOnce) return\n        sweptOnce = true\n',
      },
      {
        file: 'agent/src/upkeep/orphan-sweep.ts',
        find: '    if (intervalMs <= 0) return\n',
        replace: '    if (intervalMs <= 0) return\n    let sweptOnce = false\n',
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
  {
    name: 'an object without a record is never released',
    scenario: 'topic made again',
    edits: [
      {
        file: 'agent/src/metadata/commit.ts',
        find: 'releaseObjects(object !== null && grown.length === 0 ? [flush] : [])',
        replace: 'releaseObjects([])',
      },
    ],
  },
  {
    name: 'a purge leaves rows of its logs',
    scenario: 'merge',
    edits: [{ file: 'agent/src/metadata/purge.ts', find: '      deleteMerges(logs),\n', replace: '' }],
  },
]
