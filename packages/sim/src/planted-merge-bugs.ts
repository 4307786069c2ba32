// Planted bugs of merges: each loses records, shows the bytes of others, or brings removed ones back.
import type { PlantedBug } from './planted-bug.ts'

const swap = 'agent/src/metadata/swap.ts'

export const mergeBugs: readonly PlantedBug[] = [
  {
    name: 'a merge does not verify its sources',
    scenario: 'merge',
    edits: [
      { file: swap, find: ' && isSame(segmentOf(cluster, row), source) ? [row] : []', replace: ' ? [row] : []' },
      { file: swap, find: '    if (rows.length !== sources.length) return []\n', replace: '' },
      // Otherwise the job of a replaced agent is fenced, before its segments have changed. Several agents have a job each.
      { file: swap, find: 'readActiveJobs({ job }))', replace: "readActiveJobs({ job: 'none' }))" },
    ],
  },
  {
    name: 'a merged segment has a wrong first byte',
    scenario: 'merge',
    edits: [
      {
        file: 'agent/src/upkeep/merged-object.ts',
        find: 'byteStart: start + segment.byteStart }',
        // The segments of the first partition are right.
        replace: 'byteStart: must(encoded.starts[0], "the first start") + segment.byteStart }',
      },
    ],
  },
  {
    name: 'a merge reorders segments',
    scenario: 'merge',
    edits: [
      {
        file: 'agent/src/core/log/merge/merged-segments.ts',
        find: '    this.#chunks.push(bytes)\n',
        replace: '    this.#chunks.unshift(bytes)\n',
      },
    ],
  },
  {
    name: 'a merge forgets the largest timestamp before its segments',
    scenario: 'merge',
    edits: [{ file: swap, find: 'let runningMaxTimestamp = maxima.get(log) ?? -1', replace: 'let runningMaxTimestamp = -1' }],
  },
  {
    name: 'the memory of a merge is given back before its object is stored',
    scenario: 'merge',
    edits: [
      {
        file: 'agent/src/upkeep/merged-object.ts',
        find: '  // The swap removes bytes that were on the disk',
        replace: '  memory.release()\n  // The swap removes bytes that were on the disk',
      },
    ],
  },
  {
    name: 'a merge reads what it found long ago',
    scenario: 'upkeep of several agents',
    edits: [{ file: 'agent/src/upkeep/merge.ts', find: 'if (beganMs - lookedAtMs > limits.readersGraceMs / 2) return false', replace: '' }],
  },
]
