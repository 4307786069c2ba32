// Before the first end-to-end test: what `pnpm build` makes, from the sources as they are, for the tests that run the bundle or install it.
import { join } from 'node:path'
import { runProgram } from '../../../packages/sim/src/program.ts'
import { repository } from './server.ts'

const steps = [
  ['node_modules/typescript/bin/tsc', '-b', 'tsconfig.build.json'],
  ['scripts/console/build.ts'],
  ['node_modules/rolldown/bin/cli.mjs', '-c', 'rolldown.config.ts'],
] as const

export async function setup(): Promise<void> {
  for (const [program, ...args] of steps)
    await runProgram(process.execPath, [join(repository, program), ...args], { cwd: repository, limitMs: 0 })
}
