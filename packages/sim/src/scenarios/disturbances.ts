// What several scenarios do to the current agent and to the stores. Without a current agent, a disturbance of it does nothing.
import type { Range } from '../chance.ts'
import type { World } from '../world.ts'

/** The agent is killed and, after a while, started again. */
export async function crash(world: World, downMs: Range): Promise<void> {
  if (world.current === undefined) return
  world.crash(world.current)
  await world.time.sleep(world.chance.between(downMs))
  await world.start()
}

/** The agent does nothing for a while. */
export async function freeze(world: World, forMs: Range): Promise<void> {
  const { chance, time, current } = world
  if (current === undefined) return
  world.freeze(current)
  await time.sleep(chance.between(forMs))
  world.thaw(current)
}

/** Another agent takes over while the current one is frozen or still runs. */
export async function takeOver(world: World, frozenMs: Range): Promise<void> {
  const { chance, time, current } = world
  if (current === undefined) return
  if (chance.happens(0.5)) world.freeze(current)
  const successor = world.start()
  await time.sleep(chance.between(frozenMs))
  world.thaw(current)
  await successor
}

/** The store does not answer for a while. */
export async function outage(world: World, store: 'bucket' | 'database', forMs: Range): Promise<void> {
  world[store].away = true
  await world.time.sleep(world.chance.between(forMs))
  world[store].away = false
}

/** The life of the current agent ends, or stops for a while, and another one begins. */
export async function disturbLife(world: World): Promise<void> {
  const { chance } = world
  switch (chance.pick(['crash', 'freeze', 'take over', 'drain'] as const)) {
    case 'crash':
      return await crash(world, [0, 2_000])
    case 'freeze':
      return await freeze(world, [10, 10_000])
    case 'take over':
      return await takeOver(world, [0, 5_000])
    case 'drain':
      if (world.current === undefined) return
      await world.drain(world.current)
      await world.start()
  }
}

/** Deletes the records of a partition before some offset. Nothing happens while no agent lives. */
export async function deleteSomeRecords(world: World): Promise<void> {
  if (world.current === undefined) return
  const { chance, checker, partitions, topicId } = world
  const partition = chance.whole([0, partitions - 1])
  await world.deleteRecords(partition, chance.whole([0, checker.nextOffset(topicId, partition)]))
}
