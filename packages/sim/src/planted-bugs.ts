// Bugs that the simulator must catch: each changes the sources as they load, and names the scenario whose seeds must fail with it.
// Longer than others because it is one thing: a list.

import { agentBugs } from './planted-agent-bugs.ts'
import type { PlantedBug, PlantedEdit } from './planted-bug.ts'
import { compactionBugs } from './planted-compaction-bugs.ts'
import { memoryBugs } from './planted-memory-bugs.ts'
import { mergeBugs } from './planted-merge-bugs.ts'
import { transactionBugs } from './planted-transaction-bugs.ts'
import { upkeepBugs } from './planted-upkeep-bugs.ts'

const chain = 'agent/src/flush/chain.ts'
const writer = 'agent/src/write/writer.ts'
const commit = 'agent/src/metadata/commit.ts'
const volumes = 'agent/src/objects/adapters/volumes/volume-objects.ts'
const groupMembers = 'agent/src/core/group/members.ts'

/** Without this edit the database rejects what a wrong chain sends, and the checker would see only a defect, not its harm. */
const noOrderInTheCommit: readonly PlantedEdit[] = [
  { file: commit, find: "  if (sequence < held.lastSequence) return unchanged({ kind: 'abandoned' })\n", replace: '' },
  {
    file: commit,
    find: "  if (held.lastSequence !== prev) return unchanged({ kind: 'out of order', lastSequence: held.lastSequence })\n",
    replace: '',
  },
]

export const plantedBugs: readonly PlantedBug[] = [
  ...memoryBugs,
  ...compactionBugs,
  ...upkeepBugs,
  ...mergeBugs,
  ...agentBugs,
  ...transactionBugs,
  {
    name: 'commits in order of upload completion',
    scenario: 'slow flush beats newer flush',
    edits: [
      {
        file: chain,
        find: 'for (let head = this.#line[0]; head !== undefined; head = this.#line[0]) {\n',
        replace: `while (this.#line.length > 0) {
      const head = await Promise.race(this.#line.map(async (each) => (await each.stored, each)))
      this.#line.splice(this.#line.indexOf(head), 1)
      this.#line.unshift(head)
`,
      },
      ...noOrderInTheCommit,
    ],
  },
  {
    name: 'sealing on size and on time both fire',
    scenario: 'flushing on size instead of time',
    edits: [
      {
        file: writer,
        find: '    this.#open = undefined\n    const sequence = this.#chain.allocate()',
        replace: `    if (trigger !== 'size') this.#open = undefined
    else queueMicrotask(() => this.#parts.clock.after(1, () => { if (this.#open === open) this.#open = undefined }))
    const sequence = this.#chain.allocate()`,
      },
    ],
  },
  {
    name: 'a new id on retry',
    scenario: 'lost commit replies',
    edits: [
      {
        file: chain,
        find: "if (outcome.kind === 'unknown') unknownBefore = true",
        replace: "if (outcome.kind === 'unknown') input = { ...input, sequence: this.allocate() }",
      },
      ...noOrderInTheCommit,
    ],
  },
  {
    name: 'ack before commit',
    scenario: 'lost commit replies',
    edits: [
      {
        file: chain,
        find: "      if (outcome.kind === 'unknown') unknownBefore = true",
        replace: `      if (outcome.kind === 'committed') for (const { topicId, partition, highWatermark } of outcome.result.grown) guesses.set(\`\${topicId}/\${partition}\`, highWatermark)
      if (outcome.kind === 'unknown') {
        unknownBefore = true
        const head = this.#line.find(({ flush }) => flush.sequence === input.sequence)
        const ends = new Map(guesses)
        const verdicts = input.batches.map(({ topicId, partition, offsets }) => {
          const baseOffset = ends.get(\`\${topicId}/\${partition}\`)
          ends.set(\`\${topicId}/\${partition}\`, baseOffset + offsets)
          return { kind: 'appended', baseOffset }
        })
        if (verdicts.every(({ baseOffset }) => baseOffset >= 0)) head?.settle({ kind: 'committed', result: { verdicts, grown: [] } })
      }`,
      },
      { file: chain, find: 'export class Chain {', replace: 'const guesses = new Map()\nexport class Chain {' },
    ],
  },
  {
    name: 'an unknown commit is treated as a failed one',
    scenario: 'lost commit replies',
    edits: [
      {
        file: chain,
        find: "      if (outcome.kind === 'unknown') unknownBefore = true",
        replace: "      if (outcome.kind === 'unknown') return { kind: 'rolled back', error: outcome.error }",
      },
    ],
  },
  {
    name: 'the watermark is published early',
    scenario: 'slow flush beats newer flush',
    edits: [
      {
        file: writer,
        find: '    const places = admissions.map((admission) => {\n',
        replace: `    for (const { topicId, partition } of admissions) {
      const tail = this.#parts.tails.get(topicId, partition)
      if (tail !== undefined) this.#parts.tails.publish([{ topicId, partition, highWatermark: tail.highWatermark + 1, segments: [] }])
    }
    const places = admissions.map((admission) => {
`,
      },
    ],
  },
  {
    name: 'followers of an abandoned flush are admitted',
    scenario: 'line stop',
    edits: [
      {
        file: chain,
        find: '    const abandoned = this.#line.splice(0)\n',
        replace: `    const [given] = this.#line.splice(0, 1)
    given?.settle({ kind: 'abandoned', message })
    if (given !== undefined) return
    const abandoned = this.#line.splice(0)
`,
      },
    ],
  },
  {
    name: 'the open flush is kept when the line stops',
    scenario: 'line stop',
    edits: [{ file: writer, find: "        this.#giveUpOpen({ kind: 'abandoned', message })\n", replace: '' }],
  },
  {
    name: 'a replay is not recognized',
    scenario: 'lost commit replies',
    edits: [
      {
        file: commit,
        find: '  if (held.lastSequence === sequence) return unchanged(yield* replay(incarnation.id, sequence))\n',
        replace: '',
      },
      ...noOrderInTheCommit,
    ],
  },
  {
    name: 'the fence is not checked',
    scenario: 'fenced zombie',
    edits: [
      { file: commit, find: "  if (held.state !== 'active') return unchanged({ kind: 'fenced' })\n", replace: '' },
      {
        file: commit,
        find: "slot.owner === known.owner && slot.epoch === epoch ? undefined : 'NOT_LEADER_OR_FOLLOWER'",
        replace: 'undefined',
      },
    ],
  },
  {
    name: 'the duplicate window is ignored',
    scenario: 'two producers',
    edits: [
      {
        file: 'agent/src/core/log/append.ts',
        find: "      if (admission.kind !== 'next') return admission\n",
        replace: '',
      },
    ],
  },
  {
    name: 'memory says that an offset is out of range',
    scenario: 'lost commit replies',
    edits: [
      {
        file: 'agent/src/read/reader.ts',
        find: 'ask.offset > tail.highWatermark) return this.#outside(ask)',
        replace: "ask.offset > tail.highWatermark) return { kind: 'error', error: 'OFFSET_OUT_OF_RANGE' }",
      },
    ],
  },
  {
    name: 'batches are not checked when they are read',
    scenario: 'rotten reads',
    edits: [
      {
        file: 'agent/src/read/batches.ts',
        find: '  const problem = storedBatchProblem(bytes, at, crc32c)\n',
        replace: '  const problem = undefined\n',
      },
    ],
  },
  {
    name: 'batches are not checked when a time is looked up',
    scenario: 'rotten reads',
    edits: [
      {
        file: 'agent/src/read/segment-reader.ts',
        find: '      const { stored } = await this.#checked(read)\n      const bytes',
        replace: '      const stored = await this.fetch(read.segment, read.signal)\n      const bytes',
      },
    ],
  },
  {
    name: 'a deleted topic still accepts records',
    scenario: 'topic made again',
    edits: [{ file: commit, find: "    if (!known.aliveTopics.has(topicId)) return 'UNKNOWN_TOPIC_ID'\n", replace: '' }],
  },
  {
    name: 'a new life stamps only with its own clock',
    scenario: 'chaos',
    edits: [
      {
        file: 'agent/src/view/tails.ts',
        find: 'lastStamp: Math.max(state.maxTimestamp, this.#stamps.get(key) ?? state.maxTimestamp)',
        replace: 'lastStamp: 0',
      },
    ],
  },
  {
    name: 'a put that failed is kept in the cache and committed',
    scenario: 'store outage',
    edits: [
      {
        file: chain,
        find: "      return { kind: 'failed', message: `the object store failed: ${message}` }",
        replace: "      return { kind: 'stored' }",
      },
    ],
  },
  {
    name: 'requests after an abandoned flush are admitted',
    scenario: 'line stop',
    edits: [
      {
        file: writer,
        find: '    if (source !== undefined && this.#cutOff.has(source)) return { answers: Promise.resolve(admissions.map(() => cutOffAnswer)) }\n',
        replace: '',
      },
      {
        file: writer,
        find: "error: 'NOT_ENOUGH_REPLICAS', message, thenClose: true }",
        replace: "error: 'NOT_ENOUGH_REPLICAS', message, thenClose: false }",
      },
    ],
  },
  {
    name: 'idempotency keys are not kept',
    scenario: 'crash and restart',
    edits: [{ file: commit, find: '  const earlier = keys.earlier(batch)\n', replace: '  const earlier = undefined\n' }],
  },
  {
    name: 'a fenced agent continues to answer',
    scenario: 'fenced zombie',
    edits: [
      {
        file: chain,
        find: "    for (const { abort, settle } of this.#line.splice(0)) {\n      abort.abort()\n      settle({ kind: 'fenced' })\n",
        replace: `    for (const { abort, settle, flush } of this.#line.splice(0)) {
      abort.abort()
      settle({ kind: 'committed', result: { verdicts: flush.batches.map(() => ({ kind: 'appended', baseOffset: 0 })), grown: [] } })
`,
      },
    ],
  },
  {
    name: 'a group answers before it is saved',
    scenario: 'groups',
    edits: [
      {
        file: 'agent/src/coordinate/group-runner.ts',
        find: '        if (!(await this.#save(batch))) return\n        for (const answer of batch.answers) answer()',
        replace: '        for (const answer of batch.answers) answer()\n        if (!(await this.#save(batch))) return',
      },
    ],
  },
  {
    name: 'the version of a group is not checked',
    scenario: 'groups',
    edits: [
      {
        file: 'agent/src/metadata/groups.ts',
        find: 'held.epoch !== epoch || held.version !== version)',
        replace: 'held.epoch !== epoch)',
      },
    ],
  },
  {
    name: 'a generation is not saved',
    scenario: 'groups',
    edits: [
      {
        file: 'agent/src/coordinate/group-runner.ts',
        find: 'if (saved(change)) batch',
        replace: "if (saved(change) && (change.kind !== 'group' || !this.#stored || change.value === null)) batch",
      },
    ],
  },
  {
    name: 'of two commits in one save the first counts',
    scenario: 'groups',
    edits: [
      {
        file: 'agent/src/coordinate/group-runner.ts',
        find: '    batch.offsets.set(key, one)',
        replace: '    if (!batch.offsets.has(key)) batch.offsets.set(key, one)',
      },
    ],
  },
  {
    name: 'a save of offsets only is left out',
    scenario: 'groups',
    edits: [
      {
        file: 'agent/src/coordinate/group-runner.ts',
        find: 'changes.size === 0 && offsets.size === 0 &&',
        replace: 'changes.size === 0 &&',
      },
    ],
  },
  {
    name: 'a save with an unknown outcome is treated as done',
    scenario: 'groups',
    edits: [
      {
        file: 'agent/src/metadata/groups.ts',
        find: 'if (unsure && (held === undefined ? head === null : held.epoch === epoch && held.version === version + 1))',
        replace: 'if (unsure)',
      },
    ],
  },
  {
    name: 'a group that is reloaded loses its offsets',
    scenario: 'groups',
    edits: [
      {
        file: 'agent/src/metadata/groups.ts',
        find: 'writes: [setEpoch({ groupId, epoch })]',
        replace: 'writes: [setEpoch({ groupId, epoch }), removeAllOffsets({ groupId })]',
      },
    ],
  },
  {
    name: 'requests of a replaced static member are accepted',
    scenario: 'groups',
    edits: [
      { file: groupMembers, find: "    if (holder !== memberId) return 'FENCED_INSTANCE_ID'\n", replace: '' },
      { file: groupMembers, find: '  forget(turn, oldId)\n', replace: '' },
    ],
  },
  {
    name: 'a static member that comes back has lost its assignment',
    scenario: 'groups',
    edits: [{ file: groupMembers, find: '  if (assignment !== undefined) turn.setAssignment(newId, assignment)\n', replace: '' }],
  },
  {
    name: 'a leader gets the first metadata of each member',
    scenario: 'groups',
    edits: [
      {
        file: groupMembers,
        find: 'if (known === undefined || !sameRow(known, next)) turn.setMember(memberId, next)',
        replace: 'if (known === undefined) turn.setMember(memberId, next)',
      },
    ],
  },
  {
    name: "every member gets the leader's share",
    scenario: 'groups',
    edits: [
      {
        file: 'agent/src/core/group/sync-group.ts',
        find: 'answerSyncs(turn, (memberId) => assigned(state, memberId))',
        replace: 'answerSyncs(turn, () => assigned(state, request.memberId))',
      },
    ],
  },
  {
    name: 'an old generation may commit',
    scenario: 'groups',
    edits: [
      {
        file: 'agent/src/core/group/heartbeat.ts',
        find: "    if (generation !== state.group.generation) return 'ILLEGAL_GENERATION'\n  } else",
        replace: '  } else',
      },
    ],
  },
  {
    name: 'a put that is acknowledged before its sync',
    scenario: 'loss of power',
    edits: [{ file: volumes, find: '      if (strict) await this.#sync(object, what)\n', replace: '' }],
  },
  {
    name: 'a sync after a failed one is trusted',
    scenario: 'loss of power',
    edits: [
      {
        file: 'agent/src/objects/adapters/volumes/volume.ts',
        find: '      if (this.#syncFailure !== undefined) throw this.#syncFailure.error\n',
        replace: '',
      },
    ],
  },
  {
    name: 'a torn volume tail served',
    scenario: 'loss of power',
    edits: [
      {
        file: volumes,
        find: 'switch (older === undefined ? undefined : this.#folder.examine(older, what)) {',
        replace: "switch (older === object ? 'whole' : undefined) {",
      },
    ],
  },
  {
    name: 'an index that names a removed object',
    scenario: 'loss of power',
    edits: [
      {
        file: volumes,
        find: '    this.#objects.set(from.key, to)\n    this.#remove(from)\n',
        replace: '    this.#folder.remove(from)\n',
      },
    ],
  },
  {
    name: 'retention by file age',
    scenario: 'retention',
    edits: [
      {
        file: 'agent/src/core/log/retention.ts',
        find: '  return maxTimestamp >= 0 ? maxTimestamp : committedAtMs\n',
        replace: '  return maxTimestamp >= 0 ? committedAtMs : maxTimestamp\n',
      },
    ],
  },
  {
    name: 'a log start that goes back',
    scenario: 'retention',
    edits: [
      {
        file: 'agent/src/metadata/partition-rows.ts',
        find: ' AND partition = $partition AND log_start_offset < $logStartOffset`',
        replace: ' AND partition = $partition`',
      },
      {
        file: 'agent/src/metadata/log-start.ts',
        find: 'const logStartOffset = Math.max(beforeOffset, starts.get(key)?.logStartOffset ?? row.logStartOffset)\n    if (logStartOffset > row.logStartOffset) ',
        replace: 'const logStartOffset = beforeOffset\n    ',
      },
    ],
  },
  {
    name: 'a start that readers do not learn of',
    scenario: 'retention',
    edits: [{ file: 'agent/src/agent.ts', find: '    tails.publishStart(partition, logStartOffset)\n', replace: '' }],
  },
]
