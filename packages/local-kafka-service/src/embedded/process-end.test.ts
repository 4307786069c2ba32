// A server that is not stopped does not keep its process alive, but a wait does; it handles no signals and prints nothing.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'lks-end-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const index = new URL('../index.ts', import.meta.url).href
const repository = fileURLToPath(new URL('../../../..', import.meta.url))
let programs = 0

/** Runs the lines as a module; the time-out only distinguishes a process that never ends from a slow one. */
async function run(...lines: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const file = join(folder, `program-${(programs += 1)}.mjs`)
  writeFileSync(file, [`import { startKafka } from '${index}'`, ...lines].join('\n'))
  const child = await promisify(execFile)(process.execPath, ['--conditions=lks-source', file], { cwd: repository, timeout: 25_000 })
  return { stdout: child.stdout, stderr: child.stderr }
}

test.each([
  ['in memory', '{}'],
  ['with HTTP', '{ http: true }'],
  ['with a directory', JSON.stringify({ dir: join(folder, 'kept') })],
])('a program that does not stop its server %s ends by itself with 0', async (_rule, options) => {
  const { stdout, stderr } = await run(
    `const kafka = await startKafka(${options})`,
    `await kafka.produce('t', 'a')`,
    `if (kafka.urls) await (await fetch(kafka.urls.control + '/topics')).text()`,
    `process.on('exit', (code) => console.log(code, process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')))`,
  )
  expect(stdout).toBe('0 0 0\n')
  expect(stderr).toBe('')
})

test('a pending wait keeps the process alive until it settles, and so do a stop and a start', async () => {
  const { stdout } = await run(
    `const kafka = await startKafka()`,
    `const late = await kafka.waitFor('t', 1, { timeoutMs: 200 }).catch((error) => error.name)`,
    `const never = await kafka.group('g').ready(1, { timeoutMs: 100 }).catch((error) => error.name)`,
    `await kafka.stop()`,
    `await startKafka()`,
    `console.log(late, never)`,
  )
  expect(stdout).toBe('WaitTimeoutError WaitTimeoutError\n')
})

test('with holdsProcess the server runs until it is stopped', async () => {
  const { stdout } = await run(
    `const kafka = await startKafka({ holdsProcess: true })`,
    `setTimeout(() => { console.log('still there'); void kafka.stop() }, 100).unref()`,
  )
  expect(stdout).toBe('still there\n')
})
