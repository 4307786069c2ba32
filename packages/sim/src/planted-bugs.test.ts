// The planted bugs fit the sources: each text occurs exactly once, each scenario exists, and a hunt catches a bug.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { edited, urlOf } from './plant.ts'
import { plantedBugs } from './planted-bugs.ts'
import { huntOne } from './planted-hunt.ts'
import { scenarios } from './scenarios/index.ts'

test.each(plantedBugs)('the text that "$name" replaces occurs exactly once', ({ edits, scenario }) => {
  expect(scenarios.map(({ name }) => name)).toContain(scenario)
  const sources = new Map<string, string>()
  for (const edit of edits) {
    const { href } = urlOf(edit)
    const before = sources.get(href) ?? readFileSync(urlOf(edit), 'utf8')
    const after = edited(before, edit)
    expect(after).not.toBe(before)
    sources.set(href, after)
  }
})

test('a text that occurs twice, or not at all, is rejected', () => {
  const edit = { file: 'agent/src/x.ts', find: 'b', replace: 'c' }
  expect(() => edited('a b a b', edit)).toThrow('2 times')
  expect(() => edited('a', edit)).toThrow('0 times')
  expect(edited('a b $& a', { ...edit, replace: '$&' })).toBe('a $& $& a')
})

test('there are at least eight bugs, with different names', () => {
  expect(plantedBugs.length).toBeGreaterThanOrEqual(8)
  expect(new Set(plantedBugs.map(({ name }) => name)).size).toBe(plantedBugs.length)
})

test('the scenario catches a bug in the sources', async () => {
  const bug = plantedBugs.find(({ name }) => name === 'commits in order of upload completion')
  if (bug === undefined) throw new Error('the bug has another name now')
  const hunted = await huntOne(bug, { seeds: 20, node: ['--conditions=lks-source'] })
  expect(hunted).toMatchObject({ kind: 'caught' })
}, 60_000)

test('a run that breaks does not count as a catch', async () => {
  const unknown = { name: 'no such bug', scenario: 'line stop', edits: [] }
  const hunted = await huntOne(unknown, { seeds: 1, node: ['--conditions=lks-source'] })
  expect(hunted).toMatchObject({ kind: 'not caught', message: expect.stringContaining("'no such bug' is not a planted bug") })
}, 60_000)
