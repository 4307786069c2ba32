// A consumer group under faults: its eager or cooperative members, some of them static, join, leave, stall, die and are replaced, its coordinator is killed, and the database loses replies.
import { GroupChecker } from '../group-checker.ts'
import type { MemberClient } from '../member-client.ts'
import type { Disturbed, Scenario } from '../scenario.ts'
import type { World } from '../world.ts'
import { drain, kill, pause } from './agents.ts'
import { crash, freeze, takeOver } from './disturbances.ts'
import { anySetup } from './loads.ts'

const sessionTimeoutMs = 6_000

export const groups: Scenario = {
  name: 'groups',
  about:
    'Members of a group join, leave, stall, die and are replaced while the agent is killed and taken over and the database loses replies.',
  partitions: 4,
  setup: anySetup,
  run: (world) => runGroups(world, disturb),
}

export const movingGroups: Scenario = {
  name: 'groups of several agents',
  about:
    'The members of a group ask any of two or three agents, while slots move between them, and each is killed, paused or drained at times.',
  partitions: 4,
  agents: (chance) => chance.whole([2, 3]),
  setup: anySetup,
  limits: (chance) => ({ heartbeatMs: chance.whole([200, 1_000]), slotMoveMs: chance.whole([50, 500]) }),
  run: (world) => runGroups(world, disturbSeveral),
}

type Disturb = (world: World, alive: readonly MemberClient[], join: (groupInstanceId?: string) => MemberClient) => Promise<void>

async function runGroups(world: World, disturbed: Disturb): Promise<Disturbed> {
  const { chance, time } = world
  const group = new GroupChecker(world.checker, world.partitions)
  const members: MemberClient[] = []
  const runs: Promise<void>[] = []
  const cooperative = chance.happens(0.5)
  const rebalanceTimeoutMs = chance.whole([1_000, 10_000])
  const join = (groupInstanceId = chance.happens(0.4) ? `instance-${members.length + 1}` : undefined): MemberClient => {
    const member = world.groupMember({
      name: `member-${members.length + 1}`,
      groupId: 'workers',
      group,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      groupInstanceId,
      cooperative,
    })
    members.push(member)
    runs.push(member.run())
    return member
  }
  for (let first = chance.whole([1, 3]); first > 0; first -= 1) join()
  const some = (most: number): number => chance.sometimes(0.7, most)
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
    await disturbed(world, staying(members), join)
  }
  while (staying(members).length < 2) join()
  return { clients: settled(world, { group, members, cooperative, runs }) }
}

/** As with one agent, but any agent is killed, paused or drained. */
async function disturbSeveral(
  world: World,
  alive: readonly MemberClient[],
  join: (groupInstanceId?: string) => MemberClient,
): Promise<void> {
  const agent = world.running.length === 0 ? undefined : world.chance.pick(world.running)
  switch (world.chance.pick(['members', 'members', 'kill', 'pause', 'drain'] as const)) {
    case 'members':
      return await disturb(world, alive, join, ofMembers)
    case 'kill':
      return await kill(world, agent)
    case 'pause':
      return await pause(world, agent)
    case 'drain':
      return await drain(world, agent)
  }
}

/** Without members that were replaced and have not yet received the error. */
function staying(members: readonly MemberClient[]): readonly MemberClient[] {
  return members.filter(({ stopped, hasSuccessor }) => !stopped && !hasSuccessor)
}

async function disturb(
  world: World,
  alive: readonly MemberClient[],
  join: (groupInstanceId?: string) => MemberClient,
  from: readonly Disturbance[] = disturbances,
): Promise<void> {
  const { chance } = world
  const one = alive.length === 0 ? undefined : chance.pick(alive)
  switch (chance.pick(from)) {
    case 'join':
      join()
      return
    case 'leave':
      return one?.leave()
    case 'die':
      return one?.die()
    case 'replace': {
      const statics = alive.filter(({ groupInstanceId }) => groupInstanceId !== undefined)
      const old = statics.length === 0 ? undefined : chance.pick(statics)
      const successor = join(old?.groupInstanceId)
      old?.succeed(successor)
      if (chance.happens(0.5)) old?.die()
      return
    }
    case 'stall':
      return one?.stall(sessionTimeoutMs * chance.between([0.5, 3]))
    case 'crash':
      return await crash(world, [0, 2_000])
    case 'freeze':
      return await freeze(world, [10, 10_000])
    case 'take over':
      return await takeOver(world, [0, 3_000])
  }
}

type Disturbance = (typeof disturbances)[number]

const ofMembers = ['join', 'join', 'leave', 'die', 'replace', 'replace', 'replace', 'stall', 'stall'] as const
const disturbances = [...ofMembers, ...(['crash', 'crash', 'freeze', 'take over'] as const)]

interface Settling {
  readonly group: GroupChecker
  readonly members: readonly MemberClient[]
  readonly cooperative: boolean
  readonly runs: readonly Promise<void>[]
}

/** The remaining members are in one generation that owns every partition, and stay in it for longer than a session. */
async function settled({ time, trace }: World, { group, members, cooperative, runs }: Settling): Promise<void> {
  const remaining = staying(members)
  const common = (): number | undefined => {
    const [generation, ...others] = new Set(remaining.map((member) => member.generation))
    return others.length === 0 ? generation : undefined
  }
  const whole = (): boolean => group.ownedBy(common() ?? -1, new Set(remaining.map(({ memberId }) => memberId)))
  for (let since = time.nowMs, last = common(), enforced = !cooperative; ; ) {
    await time.sleep(100)
    const now = common()
    if (now !== last) since = time.nowMs
    last = now
    if (now === undefined || time.nowMs - since < 2 * sessionTimeoutMs) continue
    if (whole()) break
    // A gap in Kafka itself: if a static member is replaced before it revoked a partition, the partition has no owner until the next rebalance.
    if (!enforced) for (const member of remaining) member.enforceRebalance()
    enforced = true
  }
  trace.write('group', `is stable in generation ${remaining[0]?.generation} after ${group.acknowledged} commits`)
  for (const member of members) member.leave()
  await Promise.all(runs)
}
