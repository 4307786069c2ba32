// lks topic alter: changes single configs of a topic; the others keep their values.
import type { ClientCommand } from '../client-command.ts'
import { changeConfigs, changesOf, unsetOption } from '../config/config-changes.ts'
import { outputOption } from '../output/output.ts'

export const topicAlter: ClientCommand = {
  path: ['topic', 'alter'],
  summary: 'Change the configs of a topic.',
  arguments: [{ name: 'topic', required: true, doc: 'Its name.', completes: 'topic' }],
  options: [
    { name: 'config', short: 'c', placeholder: 'key=value', repeatable: true, doc: 'A config with its new value.' },
    unsetOption,
    outputOption,
  ],
  examples: ['lks topic alter orders -c retention.ms=3600000', 'lks topic alter orders --unset retention.ms'],
  async run(given, context) {
    const changes = changesOf(given.options('config'), given.options('unset'), '--config')
    await changeConfigs({ kind: 'topic', name: given.arguments[0] ?? '' }, changes, given, context)
  },
}
