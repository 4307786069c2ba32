// lks wait: waits until a Kafka server answers, for scripts that started one.
import { UserError } from 'local-kafka-service/internal/user-error'
import { pause } from '../cluster/cluster-client.ts'
import { diagnose } from '../cluster/diagnosis.ts'
import type { ClientCommand } from './client-command.ts'
import { durationOption, givenDuration } from './duration-option.ts'

const everyMs = 200

export const wait: ClientCommand = {
  path: ['wait'],
  summary: 'Wait until a Kafka server answers.',
  minor: true,
  arguments: [],
  options: [durationOption({ name: 'timeout', default: '30s', doc: 'The time after which it fails.' })],
  examples: ['lks wait', 'lks dev & lks wait --timeout 10s && npm test', 'lks wait -b broker:9092'],
  async run(given, { terminal, connection, signal }) {
    const timeout = given.option('timeout') ?? '30s'
    const until = performance.now() + givenDuration(timeout)
    for (;;) {
      const looked = await Promise.all(connection.bootstrapServers.map((server) => diagnose(server, connection)))
      const ready = looked.find(({ problem }) => problem === undefined)
      if (ready !== undefined) {
        terminal.data.write(`${ready.server}\n`)
        return
      }
      if (performance.now() + everyMs > until) {
        const why = looked.flatMap(({ problem }) => (problem === undefined ? [] : [problem.what])).join('; ')
        throw new UserError('LKS-4014', {
          what: `no Kafka server answered within ${timeout}`,
          why,
          fix: ['wait longer: --timeout 2m', `find the cause: lks doctor connect ${connection.bootstrapServers[0] ?? ''}`],
        })
      }
      await pause(everyMs, signal)
    }
  },
}
