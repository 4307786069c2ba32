// lks topic alter: changes single configs of topics; the others keep their values.
import type { ClientCommand } from '../client-command.ts'
import { changeConfigs, changesOf, unsetOption } from '../config/config-changes.ts'
import { outputOption } from '../output/output.ts'
import { namedTopics, orPatterns } from './topic-pattern.ts'

export const topicAlter: ClientCommand = {
  path: ['topic', 'alter'],
  summary: 'Change configs of topics.',
  arguments: [{ name: 'topic', required: true, variadic: true, doc: `Their names${orPatterns}`, completes: 'topic' }],
  options: [
    { name: 'config', short: 'c', placeholder: 'key=value', repeatable: true, doc: 'A config with its new value.' },
    unsetOption,
    outputOption,
  ],
  examples: [
    'lks topic alter orders -c retention.ms=3600000',
    'lks topic alter orders --unset retention.ms',
    "lks topic alter 'test-*' -c retention.ms=60000",
  ],
  async run(given, context) {
    const changes = changesOf(given.options('config'), given.options('unset'), '--config')
    await changeConfigs(
      async (cluster) => (await namedTopics(cluster, given.arguments)).map((name) => ({ kind: 'topic', name })),
      changes,
      given,
      context,
    )
  },
}
