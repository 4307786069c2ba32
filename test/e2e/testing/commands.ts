// Calls of lks in tests: starting it, reading its JSON output, and checking its errors.
import { expect } from 'vitest'
import type { ProgramEnd } from '../../../packages/sim/src/program.ts'
import { lks, type ServerRun } from './server.ts'

/** For `expect.poll`, when a slow machine may take long. */
export const eventually = { interval: 50, timeout: 60_000 }

/** The JSON output of a command; throws with its output if it fails. */
export async function json<T>(args: readonly string[], run: Omit<ServerRun, 'args'> = {}): Promise<T> {
  const ended = await lks([...args, '-o', 'json'], run)
  expect(ended).toMatchObject({ code: 0 })
  return JSON.parse(ended.stdout) as T
}

/** A code, words and something to do; never a stack, and nothing of the client library. */
export function expectError({ code, stdout, stderr }: ProgramEnd, lksCode: string, words: RegExp, exitCode = 1): void {
  expect(stderr).toMatch(new RegExp(`^error: .*\\(${lksCode}\\)$`, 'm'))
  expect(stderr).toMatch(words)
  expect(stderr).toMatch(/^ {2}fix: \S/m)
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(`${stdout}${stderr}`).not.toContain('PLT_KFK')
  expect(code).toBe(exitCode)
}
