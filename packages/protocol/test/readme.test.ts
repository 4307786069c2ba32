// The README's example is a program that runs and prints the output in the README.
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

test('the example in the README is the file without its first line', () => {
  expect(`${program}`).toBe(readFileSync(example, 'utf8').replace(/^.*\n/, ''))
})

test('the example prints the output in the README', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=lks-source', example])
  expect(stdout).toContain(printed)
  expect(stdout).toMatch(/^answered with \d+ bytes: [0-9a-f]+\n$/m)
})
