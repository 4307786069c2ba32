// The short form of `pnpm chaos`: three agents under three seeds of faults, and the restart of one, with clients of every library that is there.
import { expect, test } from 'vitest'
import { runProgram } from '../../packages/sim/src/program.ts'
import { canHaveHosts } from '../chaos/hosts.ts'
import { postgresBin } from '../chaos/killable-postgres.ts'
import { repository } from './testing/server.ts'

const seconds = 60

if (postgresBin() === undefined) test.skipIf(process.env.CI !== 'true')('chaos: PostgreSQL is installed', () => expect.fail('it is not'))
else {
  test('an agent is restarted: clients with their default settings see no error, and nothing is lost, doubled or reordered', async () => {
    const args = ['--conditions=lks-source', 'test/chaos/main.ts', '--quiet', '--plan', 'moves', '--turns', '1']
    const { stdout } = await runProgram(process.execPath, args, { cwd: repository, limitMs: 400_000 })
    expect(stdout).toContain('1 passed, 0 failed')
  }, 410_000)
  for (const seed of [1, 2, 3])
    test(`chaos of seed ${seed}: nothing is lost, doubled, moved, reordered or skipped, and the database is as it should be`, async () => {
      const args = ['--conditions=lks-source', 'test/chaos/main.ts', '--quiet', '--seconds', String(seconds), '--seed', String(seed)]
      const { stdout } = await runProgram(process.execPath, args, { cwd: repository, limitMs: 350_000 })
      expect(stdout).toContain('1 passed, 0 failed')
    }, 360_000)
  test.skipIf(!canHaveHosts())(
    'chaos of seed 5 with a host for each agent, whose cables are pulled (Linux, root, iproute2)',
    async () => {
      const args = ['--conditions=lks-source', 'test/chaos/main.ts', '--hosts', 'several', '--seconds', '30', '--seed', '5']
      const { stdout } = await runProgram(process.execPath, args, { cwd: repository, limitMs: 350_000 })
      expect(stdout).toContain('pull a cable')
      expect(stdout).toContain('1 passed, 0 failed')
    },
    360_000,
  )
}
