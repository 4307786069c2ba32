// lks config set: changes single configs of a topic or a broker; the others keep their values.
import type { ClientCommand } from '../client-command.ts'
import { outputOption } from '../output/output.ts'
import { namedTopics } from '../topic/topic-pattern.ts'
import { changeConfigs, changesOf, unsetOption } from './config-changes.ts'
import { resourceArguments, resourceOf } from './resource.ts'

export const configSet: ClientCommand = {
  path: ['config', 'set'],
  summary: 'Change configs of a topic, of topics that match a pattern, or of a broker.',
  arguments: [...resourceArguments, { name: 'key=value', required: false, variadic: true, doc: 'Configs with their new values.' }],
  options: [unsetOption, outputOption],
  examples: [
    'lks config set topic orders retention.ms=3600000',
    'lks config set topic orders --unset retention.ms',
    "lks config set topic 'test-*' retention.ms=60000",
    'lks config set broker 1 log.cleaner.threads=2',
  ],
  async run(given, context) {
    const changes = changesOf(given.arguments.slice(2), given.options('unset'), 'key=value')
    const resource = resourceOf(given)
    await changeConfigs(
      async (cluster) => {
        if (resource.kind !== 'topic') return [resource]
        return (await namedTopics(cluster, [resource.name])).map((name) => ({ kind: 'topic', name }))
      },
      changes,
      given,
      context,
    )
  },
}
