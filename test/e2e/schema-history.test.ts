// Debezium keeps the schema changes of a database in a topic that it creates itself: what it has written comes back in order, also after a kill of the server.
import { describe, expect } from 'vitest'
import { runProgram } from '../../packages/sim/src/program.ts'
import { printed } from './testing/client-command.ts'
import { ecosystemCommand, needsClients } from './testing/client-program.ts'
import { linesOf } from './testing/programs.ts'
import { sharedServer } from './testing/restartable-server.ts'

describe('Debezium', () => {
  const server = sharedServer()
  const test = needsClients('ecosystem')
  const history = async (subcommand: string, ...options: readonly string[]): Promise<readonly string[]> => {
    const args = [subcommand, '--bootstrap', server.kafka, '--topic', 'schema-changes', ...options]
    const { stdout } = await runProgram(...ecosystemCommand('SchemaHistory', args))
    return linesOf(stdout).map((line) => (JSON.parse(line) as { readonly statement: string }).statement)
  }

  test('creates the topic of its schema history with configs, writes to it, and recovers from it', async () => {
    await history('record', '--count', '50')
    const configs = await printed(server.kafka, ['config', 'describe', 'topic', 'schema-changes'])
    for (const config of [
      /cleanup\.policy\s+topic\s+delete/,
      /retention\.ms\s+topic\s+9223372036854775807/,
      /retention\.bytes\s+topic\s+-1/,
    ])
      expect(configs).toMatch(config)
    const expected = Array.from({ length: 31 }, (_, at) => `CREATE TABLE t${at} (id INT)`)
    expect(await history('recover', '--until', '30')).toEqual(expected)
    await server.restart()
    expect(await history('recover', '--until', '30')).toEqual(expected)
  })
})
