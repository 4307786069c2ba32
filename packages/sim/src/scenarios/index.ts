// Every scenario, in the order in which seeds go through them. To add a scenario, add a line here.
import type { Scenario } from '../scenario.ts'
import { agents } from './agents.ts'
import { chaos } from './chaos.ts'
import { logCompaction } from './compaction.ts'
import { crashPointSweep } from './crash-points.ts'
import { crashAndRestart, fencedZombie, lineStop, lostCommitReplies, rottenReads, storeOutage, twoProducers } from './faults.ts'

import { flushingOnSizeInsteadOfTime, slowFlushBeatsNewerFlush } from './flush-order.ts'
import { groups, movingGroups } from './groups.ts'
import { lateRequests } from './late-requests.ts'
import { merge } from './merge.ts'
import { lossOfPower } from './power.ts'
import { purge } from './purge.ts'
import { retention } from './retention.ts'
import { topicMadeAgain } from './topics.ts'
import { transactions } from './transactions.ts'
import { transactionsOfAgents } from './transactions-of-agents.ts'
import { upkeepOfAgents } from './upkeep-of-agents.ts'

export const scenarios: readonly Scenario[] = [
  slowFlushBeatsNewerFlush,
  flushingOnSizeInsteadOfTime,
  chaos,
  storeOutage,
  lineStop,
  lostCommitReplies,
  crashAndRestart,
  fencedZombie,
  twoProducers,
  rottenReads,
  topicMadeAgain,
  groups,
  lossOfPower,
  retention,
  logCompaction,
  purge,
  merge,
  agents,
  transactions,
  transactionsOfAgents,
  crashPointSweep,
  movingGroups,
  lateRequests,
  upkeepOfAgents,
]

/** The others, which seeds take turns through: a sweep has a test of its own, which plays each of its points. */
const inTurn = scenarios.filter((scenario) => scenario !== crashPointSweep)

/** A seed determines its scenario, so that one number is enough to replay. */
export function scenarioOf(seed: number): Scenario {
  const scenario = inTurn[(seed - 1) % inTurn.length]
  if (scenario === undefined) throw new RangeError(`seeds begin at 1, not at ${seed}`)
  return scenario
}
