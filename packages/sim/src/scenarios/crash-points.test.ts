// The sweep of crash points: each point is played once, and most are really reached.
import { expect, test } from 'vitest'
import { play } from '../scenario.ts'
import { crashPointSweep, crashPoints } from './crash-points.ts'

test('a life that is killed, paused or gets an error at any of the points loses and doubles nothing', async () => {
  let struck = 0
  for (const [index, { act, moment, step }] of crashPoints.entries()) {
    const trace: string[] = []
    // The seed is the number of the point, and seeds begin at 1.
    const { violations } = await play(crashPointSweep, index + crashPoints.length, (line) => trace.push(line))
    expect(violations, `${act} ${moment} ${step}: seed ${index + crashPoints.length}`).toEqual([])
    if (trace.some((line) => line.includes(`${act} ${moment} ${step} of`))) struck += 1
  }
  expect(struck).toBeGreaterThan(0.6 * crashPoints.length)
}, 450_000)
