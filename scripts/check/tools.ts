// The checks that run other programs: the compiler, the linter, the formatter.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { Check } from './check.ts'

/** Their JavaScript entries. This Node runs them, because the machine's own may be too old. */
const tsc = 'node_modules/typescript/bin/tsc'
const oxlint = 'node_modules/oxlint/bin/oxlint'
const biome = 'node_modules/@biomejs/biome/bin/biome'

/** Also writes dist/, which the public surface check reads. */
export const build = tool('build (tsc -b)', [tsc, '-b', 'tsconfig.build.json', '--pretty', 'false'])
export const types = tool('types (tsc)', [tsc, '-p', 'tsconfig.json', '--pretty', 'false'])
/** In a program of its own, because it has the names of a browser and none of Node. */
export const consoleTypes = tool('types of the console', [tsc, '-p', 'packages/console/tsconfig.json', '--pretty', 'false'])
export const lint = tool('lint (oxlint)', [oxlint, '--format=unix'])
export const format = tool('format (biome)', [biome, 'ci', '--colors=off', '.'])

/** Runs a script with this Node. Never rejects: a script that cannot start is a failure with the reason as its output. */
export function runNode(args: readonly string[], root: string): Promise<{ readonly ok: boolean; readonly output: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...args],
      { cwd: root, maxBuffer: 64 * 1024 * 1024, env: { ...process.env, NO_COLOR: '1', CI: undefined } },
      (error, stdout, stderr) => {
        const output = `${stdout}${stderr}`.trim()
        resolve({ ok: error === null, output: output === '' && error !== null ? error.message : output })
      },
    )
  })
}

function tool(name: string, [script, ...args]: readonly [string, ...string[]]): Check {
  return {
    name,
    async run({ root }) {
      const { ok, output } = await runNode([join(root, script), ...args], root)
      return ok ? [] : [output]
    },
  }
}
