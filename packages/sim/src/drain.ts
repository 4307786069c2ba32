// The end of a world: every topic is deleted while the agents are killed, and then nothing is left of them in the store or in the tables.
import { parseObjectKey } from '@local-kafka-service/agent/simulation'
import { NamedPoints } from './scenarios/named-points.ts'
import { tableSizes } from './table-sizes.ts'
import { clusterId, type World } from './world.ts'

/** Reports what is left when the times of all settings have passed several times. */
export async function drain(world: World): Promise<void> {
  const { time, checker } = world
  world.trace.write('world', 'drains')
  world.setup = { ...world.setup, undeleteMs: 0, retentionCheckMs: checkMs, sweepMs: checkMs, expiryCheckMs: checkMs }
  world.limits = { ...world.limits, readersGraceMs: 2 * checkMs, retentionFirstMs: checkMs }
  for (const running of world.running) world.crash(running)
  await world.heal()
  await world.deleteTopics()
  const ends = new NamedPoints(world, points)
  await time.sleep(killsMs)
  ends.stop()
  await time.sleep(Math.max(world.bucket.latestLandingMs, world.database.latestRunMs, time.nowMs) - time.nowMs)
  for (let jumps = 0; ; jumps += 1) {
    const left = await leftIn(world)
    if (left.length === 0) return
    if (jumps === jumpsAtMost) return checker.violate('nothing is left of deleted topics', left.join(', '))
    // The database's clock alone: an agent would beat all day long.
    world.databaseSkewMs += jumpMs
    await time.sleep(passesAfterJump * checkMs)
  }
}

const checkMs = 1_000
const killsMs = 20_000
/** Transactional ids and offsets of groups stay for a week after their last use. */
const jumpMs = 8 * 86_400_000
/** What a row names goes first, and the row with the next jump. */
const jumpsAtMost = 5
const passesAfterJump = 5

/** The transactions of what removes deleted topics. */
const points: ReadonlySet<string> = new Set([
  'purgeStep',
  'releasedObjects',
  'namedObjects',
  'unchangedReleases',
  'forgetReleased',
  'objectStandings',
])

async function leftIn(world: World): Promise<readonly string[]> {
  const left: string[] = []
  // Removals reach the disk some time later. Until then a loss of power may undo them.
  world.disk?.writeBack()
  for await (const { key } of world.stored.list('')) if (parseObjectKey(clusterId, key) !== undefined) left.push(key)
  const agents = world.running.length
  // Of each agent: its row, its incarnation, and the answer of its last commit.
  const kept: Readonly<Record<string, number>> = {
    schema_version: 1,
    clusters: 1,
    scrubs: 1,
    agents,
    incarnations: agents,
    results: agents,
  }
  for (const [table, rows] of await tableSizes(world.database.direct)) {
    // Absent: the table must be empty.
    if (table !== 'slots' && rows > (kept[table] ?? 0)) left.push(`${rows} rows of ${table}`)
  }
  return left
}
