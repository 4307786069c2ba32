// A consumer group under trouble: its members come, go, stall and die, its coordinator is killed, and the database loses replies.
import { GroupChecker } from '../group-checker.ts'
import type { GroupMember } from '../group-member.ts'
import type { Scenario } from '../scenario.ts'
import type { World } from '../world.ts'
import { anySetup } from './loads.ts'

const sessionTimeoutMs = 6_000

export const groups: Scenario = {
  name: 'groups',
  about: 'Members of a group join, leave, stall and die while the agent is killed and taken over and the database loses replies.',
  partitions: 4,
  setup: anySetup,
  async run(world) {
    const { chance, time } = world
    const group = new GroupChecker(world.checker, world.partitions)
    const members: GroupMember[] = []
    const runs: Promise<void>[] = []
    const join = (): void => {
      const member = world.groupMember({
        name: `member-${members.length + 1}`,
        groupId: 'workers',
        group,
        sessionTimeoutMs,
        rebalanceTimeoutMs: 10_000,
      })
      members.push(member)
      runs.push(member.run())
    }
    for (let first = chance.whole([1, 3]); first > 0; first -= 1) join()
    const some = (most: number): number => (chance.happens(0.7) ? chance.between([0, most]) : 0)
    for (let rounds = chance.whole([4, 9]); rounds > 0; rounds -= 1) {
      world.database.faults = {
        ...world.database.faults,
        rolledBack: some(0.05),
        lostReply: some(0.1),
        lostRequest: some(0.05),
        zombie: { chance: some(0.1), byMs: [10, 10_000] },
      }
      world.network.faults = { ...world.network.faults, cut: some(0.01) }
      await time.sleep(chance.between([100, 8_000]))
      await disturb(
        world,
        members.filter(({ stopped }) => !stopped),
        join,
      )
    }
    while (members.filter(({ stopped }) => !stopped).length < 2) join()
    return { clients: settled(world, { group, members: members.filter(({ stopped }) => !stopped), runs }) }
  },
}

async function disturb(world: World, alive: readonly GroupMember[], join: () => void): Promise<void> {
  const { chance, time, current } = world
  const one = alive.length === 0 ? undefined : chance.pick(alive)
  switch (chance.pick(['join', 'join', 'leave', 'die', 'stall', 'stall', 'crash', 'crash', 'freeze', 'take over'] as const)) {
    case 'join':
      return join()
    case 'leave':
      return one?.leave()
    case 'die':
      return one?.die()
    case 'stall':
      return one?.stall(sessionTimeoutMs * chance.between([0.5, 3]))
    case 'crash':
      if (current === undefined) return
      world.crash(current)
      await time.sleep(chance.between([0, 2_000]))
      await world.start()
      return
    case 'freeze':
      if (current === undefined) return
      world.freeze(current)
      await time.sleep(chance.between([10, 10_000]))
      world.thaw(current)
      return
    case 'take over': {
      if (current === undefined) return
      if (chance.happens(0.5)) world.freeze(current)
      const successor = world.start()
      await time.sleep(chance.between([0, 3_000]))
      world.thaw(current)
      await successor
    }
  }
}

interface Settling {
  readonly group: GroupChecker
  /** Who stays. */
  readonly members: readonly GroupMember[]
  readonly runs: readonly Promise<void>[]
}

/** Whoever stays is in one generation that owns every partition, and stays in it for longer than a session. */
async function settled({ time, trace }: World, { group, members, runs }: Settling): Promise<void> {
  const stable = (): number | undefined => {
    const [generation, ...others] = new Set(members.map((member) => member.generation))
    if (generation === undefined || others.length > 0) return undefined
    return group.ownedBy(generation, new Set(members.map(({ memberId }) => memberId))) ? generation : undefined
  }
  for (let since = time.nowMs, last = stable(); last === undefined || time.nowMs - since < 2 * sessionTimeoutMs; ) {
    await time.sleep(100)
    const now = stable()
    if (now !== last) since = time.nowMs
    last = now
  }
  trace.write('group', `is stable in generation ${members[0]?.generation} after ${group.acknowledged} commits`)
  for (const member of members) member.leave()
  await Promise.all(runs)
}
