// Every example runs, and shows what it says.
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { repository } from './testing/server.ts'

/** What it must print, by file. */
const shown: Readonly<Record<string, RegExp>> = {
  'in-a-test.ts': /^. pass 1$/m,
  'kept-in-a-directory.ts': /"key":"key".*"value":"value"/,
  'live-tail.ts': /(^data: .*"tick"[^]*){3}/m,
  'lost-ack.ts': /^. pass 2$/m,
}

test('every example is run here', () => {
  expect(readdirSync(join(repository, 'examples')).filter((file) => file.endsWith('.ts'))).toEqual(Object.keys(shown))
})

test.each(Object.entries(shown))('%s', async (file, words) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=lks-source', join('examples', file)], { cwd: repository })
  expect(stdout).toMatch(words)
})
