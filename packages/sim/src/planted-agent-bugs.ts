// Planted bugs of several agents: who is fenced, when, and under which epoch a slot goes on.
import type { PlantedBug } from './planted-bug.ts'

const membership = 'agent/src/membership.ts'
const members = 'agent/src/metadata/members.ts'
const scenario = 'several agents'

export const agentBugs: readonly PlantedBug[] = [
  {
    name: 'fencing by wall clock',
    scenario,
    edits: [
      {
        file: membership,
        find: 'const askedMs = clock.monotonic()\n    const beat',
        replace: 'const askedMs = clock.now()\n    const beat',
      },
      { file: membership, find: 'const answeredMs = clock.monotonic()\n    this', replace: 'const answeredMs = clock.now()\n    this' },
      // Each clock that jumps looks like reads that are far apart: a heartbeat that trusts its clock does not look.
      { file: 'agent/src/lease-watch.ts', find: 'answeredMs - this.#lastReadMs <= fixedLimits.leaseReadGapMs', replace: 'true' },
    ],
  },
  // A take without the old owner's lock is not a bug by itself: the fence changes the same row, so it waits for the commit, too. metadata/interleavings.test.ts shows both.
  {
    name: 'slots are taken from an agent that is not fenced',
    scenario,
    edits: [
      {
        file: members,
        find: 'return { writes: [fenceIncarnations(fenced), takeRanges(rangesOf(taken), { owner: incarnation.id }), countSlotsChange()], value }',
        replace: 'return { writes: [takeRanges(rangesOf(taken), { owner: incarnation.id }), countSlotsChange()], value }',
      },
    ],
  },
  {
    name: 'an epoch that does not rise',
    scenario,
    edits: [
      {
        file: members,
        find: "'UPDATE slots SET owner = $owner, epoch = epoch + 1 WHERE cluster = $cluster AND slot BETWEEN $first AND $last'",
        replace: "'UPDATE slots SET owner = $owner WHERE cluster = $cluster AND slot BETWEEN $first AND $last'",
      },
      {
        file: members,
        find: '{ slot: slot.slot, owner: taker, epoch: slot.epoch + 1 }',
        replace: '{ slot: slot.slot, owner: taker, epoch: slot.epoch }',
      },
      {
        file: 'agent/src/view/owners.ts',
        find: 'if (epoch < known || (epoch === known && owner === this.#owner[slot])) continue',
        replace: 'if (owner === this.#owner[slot]) continue',
      },
    ],
  },
  {
    name: 'a heartbeat that ends the agent on a database error',
    scenario,
    edits: [
      {
        file: membership,
        find: "this.#parts.emit({ kind: 'heartbeat failed', message: errorText(error) })",
        replace: "this.#parts.emit({ kind: 'heartbeat failed', message: errorText(error) })\n        return 'fenced'",
      },
    ],
  },
  {
    name: 'a database outage counts as silence',
    scenario,
    edits: [{ file: 'agent/src/lease-watch.ts', find: 'answeredMs - this.#lastReadMs <= fixedLimits.leaseReadGapMs', replace: 'true' }],
  },
  {
    name: 'a tail of another agent is never read again',
    scenario,
    edits: [
      {
        file: 'agent/src/read/follower.ts',
        find: '(this.#readMs.get(tail) ?? Number.NEGATIVE_INFINITY) < sinceMs',
        replace: '!this.#readMs.has(tail)',
      },
      { file: 'agent/src/read/follower.ts', find: 'if (waitedFor.length > 0) await', replace: 'if (waitedFor.length > 1_000_000) await' },
    ],
  },
  {
    name: 'an agent that never reads again who owns what',
    scenario,
    edits: [{ file: membership, find: 'if (beat.slotsVersion !== this.#slotsVersion) {', replace: 'if (this.#slotsVersion === -1) {' }],
  },
  {
    name: 'an epoch that goes back when a slot is given',
    scenario,
    edits: [
      {
        file: members,
        find: "'UPDATE slots SET owner = $owner, epoch = epoch + 1 WHERE cluster = $cluster AND slot = $slot'",
        replace: "'UPDATE slots SET owner = $owner, epoch = epoch - 1 WHERE cluster = $cluster AND slot = $slot'",
      },
      {
        file: members,
        find: '{ slot: one.slot, owner, epoch: one.epoch + 1 }',
        replace: '{ slot: one.slot, owner, epoch: one.epoch - 1 }',
      },
      {
        file: 'agent/src/view/owners.ts',
        find: 'if (epoch < known || (epoch === known && owner === this.#owner[slot])) continue',
        replace: 'if (owner === this.#owner[slot]) continue',
      },
    ],
  },
  {
    name: 'a coordinator that answers from memory after a move',
    scenario: 'groups of several agents',
    edits: [
      { file: 'agent/src/coordinate/groups.ts', find: "if (!this.#isMine(groupId)) throw new KafkaError('NOT_COORDINATOR')", replace: '' },
      {
        file: 'agent/src/coordinate/groups.ts',
        find: "for (const [groupId, runner] of this.#loaded) if (!this.#isMine(groupId)) runner.drop(new KafkaError('NOT_COORDINATOR'))",
        replace: '',
      },
      {
        file: 'agent/src/coordinate/groups.ts',
        find: "for (const runner of ending) runner.drop(new KafkaError('NOT_COORDINATOR'))",
        replace: '',
      },
    ],
  },
]
