// A directory on a disk that loses power: what was acknowledged is there after each start, also while volumes are being rewritten.
import type { Scenario } from '../scenario.ts'
import { faultlessDisk } from '../volume-disk.ts'
import type { World } from '../world.ts'
import { anySetup, startClients } from './loads.ts'

export const lossOfPower: Scenario = {
  name: 'loss of power',
  about:
    'The agent keeps its objects in volumes on a disk that fails and loses power, and is killed or drained; volumes are sealed and rewritten.',
  partitions: 2,
  setup: (chance) => ({ ...anySetup(chance), cacheBytes: chance.pick([0, 0, 20_000]) }),
  volumes: (chance) => ({
    durability: chance.pick(['strict', 'strict', 'os']),
    // Large ones are never full, so that each start finds enough small ones to rewrite.
    volumeBytes: chance.pick([chance.whole([500, 8_000]), 100_000]),
    smallVolumes: chance.whole([2, 3]),
  }),
  async run(world) {
    const { chance, time, disk } = world
    if (disk === undefined) throw new Error('the world has no disk')
    const disturbed = startClients(world, { plain: 2, idempotent: 2, keyed: 1, consumers: 2, requests: 40, paceMs: [0, 300] })
    for (let ends = chance.whole([3, 12]); ends > 0; ends -= 1) {
      disk.faults = {
        latencyMs: [0.1, chance.between([1, 30])],
        write: chance.sometimes(0.3, 0.1),
        sync: chance.sometimes(0.3, 0.1),
      }
      await time.sleep(chance.between([20, chance.pick([200, 1_500])]))
      if (chance.happens(0.2)) disk.writeBack()
      // A start on a disk that fails would only fail.
      disk.faults = faultlessDisk
      await end(world)
      if (chance.happens(0.5)) await time.sleep(chance.between([0, 2_000]))
      await world.start()
    }
    return disturbed
  },
}

async function end(world: World): Promise<void> {
  const { chance, current, disk } = world
  if (current === undefined) return
  if (chance.happens(0.15)) await world.drain(current)
  else if (disk?.durability === 'strict' && chance.happens(0.7)) world.losePower(current)
  else world.crash(current)
}
