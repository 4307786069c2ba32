// lks topic compact: makes a pass of log compaction over a topic now.
import type { ClientCommand } from '../client-command.ts'
import { controlOption } from '../control-option.ts'
import { controlPlaneOf } from '../control-plane-of.ts'

export const topicCompact: ClientCommand = {
  path: ['topic', 'compact'],
  summary: 'Compact a topic now: of each key, the last record is left.',
  arguments: [{ name: 'topic', required: true, doc: 'Its name; its cleanup.policy names compact.', completes: 'topic' }],
  options: [controlOption],
  examples: ['lks topic compact users'],
  standalone: true,
  async run(given, context) {
    const [name = ''] = given.arguments
    await controlPlaneOf(given, context).work(`/topics/${encodeURIComponent(name)}/compact`)
    context.terminal.talk.write(`topic '${name}' is compacted\n`)
  },
}
