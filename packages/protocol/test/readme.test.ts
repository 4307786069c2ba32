// The README's example is a program that runs, and prints what the README says.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const example = join(root, 'examples/answer-a-produce.ts')
const [program = '', printed = ''] = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```\w*\n([^]*?)^```$/gm)].map(
  ([, block]) => block,
)

test('the example of the README is the file, but for its first line', () => {
  expect(`${program}`).toBe(readFileSync(example, 'utf8').replace(/^.*\n/, ''))
})

test('the example prints what the README says', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=lks-source', example])
  expect(stdout).toContain(printed)
  expect(stdout).toMatch(/^answered with \d+ bytes: [0-9a-f]+\n$/m)
})
