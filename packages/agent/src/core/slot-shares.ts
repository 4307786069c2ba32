// Which slots an agent gives to which others, so that each has its share.
import type { IncarnationId } from './ids.ts'

export interface SlotGift {
  readonly slot: number
  readonly to: IncarnationId
}

/**
 * The next slots that an agent with more than its share gives away: each to the agent that has the fewest, until that has its share, too. They are spread over the slots
 * that it owns, so that neighbouring partitions go to different agents. Empty: nothing is to be given.
 */
export function giftsOf({
  owners,
  giver,
  receivers,
  agentCount,
  atMost,
}: {
  /** The owner of each slot. */
  readonly owners: readonly (IncarnationId | null)[]
  readonly giver: IncarnationId
  /** The other agents that may get slots. */
  readonly receivers: readonly IncarnationId[]
  /** All living agents. */
  readonly agentCount: number
  readonly atMost: number
}): readonly SlotGift[] {
  const share = Math.ceil(owners.length / agentCount)
  const own = owners.flatMap((owner, slot) => (owner === giver ? [slot] : []))
  const counts = new Map(receivers.map((receiver) => [receiver, 0]))
  for (const owner of owners) if (owner !== null && counts.has(owner)) counts.set(owner, (counts.get(owner) ?? 0) + 1)
  const most = Math.min(own.length - share, atMost)
  const gifts: SlotGift[] = []
  for (let given = 0; given < most; given += 1) {
    const [to, count] = fewest(counts) ?? [undefined, share]
    const slot = own[Math.floor((given * own.length) / most)]
    if (to === undefined || count >= share || slot === undefined) break
    counts.set(to, count + 1)
    gifts.push({ slot, to })
  }
  return gifts
}

function fewest(counts: ReadonlyMap<IncarnationId, number>): readonly [IncarnationId, number] | undefined {
  let least: readonly [IncarnationId, number] | undefined
  for (const one of counts) if (least === undefined || one[1] < least[1]) least = one
  return least
}
