// Planted bugs of log compaction: each moves or loses records of a compacted topic.
import type { PlantedBug } from './planted-bug.ts'

const swap = 'agent/src/metadata/swap.ts'

export const compactionBugs: readonly PlantedBug[] = [
  {
    name: 'a swap does not verify its sources',
    scenario: 'log compaction',
    edits: [
      { file: swap, find: ' && isSame(segmentOf(cluster, row), source) ? [row] : []', replace: ' ? [row] : []' },
      { file: swap, find: '    if (rows.length !== sources.length) return []\n', replace: '' },
      // Otherwise the job of a replaced agent is fenced, before its segments have changed. Several agents have a job each.
      { file: swap, find: 'readActiveJobs({ job }))', replace: "readActiveJobs({ job: 'none' }))" },
    ],
  },
  {
    name: 'a tombstone is dropped early',
    scenario: 'log compaction',
    edits: [
      {
        file: 'agent/src/core/log/compaction/compact-batch.ts',
        find: 'const keepsTombstones = horizonMs === undefined || rules.nowMs < horizonMs',
        replace: 'const keepsTombstones = false',
      },
    ],
  },
  {
    name: 'compaction moves an offset',
    scenario: 'log compaction',
    edits: [
      {
        file: 'agent/src/core/log/compaction/compacted-segments.ts',
        find: '    this.#fill(batch.baseOffset)\n    this.#add(batch)\n',
        replace: `    const { baseOffset, lastOffset } = batch
    const moved = this.#nextOffset
    this.#add({ ...batch, baseOffset: moved, lastOffset: moved + lastOffset - baseOffset })
    this.#fill(lastOffset + 1)
`,
      },
    ],
  },
]
