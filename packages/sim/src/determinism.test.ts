// A seed replays: the same seed gives the same trace, and another seed gives another.
import { describe, expect, test } from 'vitest'
import { play } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'

describe.each(scenarios)('$name', (scenario) => {
  test('the same seed gives the same trace, line by line', async () => {
    const lines: string[][] = [[], []]
    const verdicts = [await play(scenario, 7, (line) => lines[0]?.push(line)), await play(scenario, 7, (line) => lines[1]?.push(line))]
    expect(lines[0]?.length).toBeGreaterThan(100)
    expect(lines[1]).toEqual(lines[0])
    expect(verdicts[1]?.digest).toBe(verdicts[0]?.digest)
  })

  test('another seed gives another trace', async () => {
    const [one, other] = [await play(scenario, 1), await play(scenario, 2)]
    expect(one.digest).not.toBe(other.digest)
  })
})
