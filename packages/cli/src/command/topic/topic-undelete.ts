// lks topic undelete: brings a deleted topic back with its records, by its id.
import type { ClientCommand } from '../client-command.ts'
import { controlOption } from '../control-option.ts'
import { controlPlaneOf } from '../control-plane-of.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'

export const topicUndelete: ClientCommand = {
  path: ['topic', 'undelete'],
  summary: 'Bring a deleted topic back with its records.',
  arguments: [{ name: 'id', required: true, doc: 'The id of the topic, as `lks topic list --deleted` shows it.' }],
  options: [controlOption, outputOption],
  examples: ['lks topic undelete 9SeyUj7cQ1yH1mCZVpO3Yg'],
  standalone: true,
  async run(given, context) {
    const [id = ''] = given.arguments
    const topic: Undeleted = await controlPlaneOf(given, context).call('POST', `/topics/${encodeURIComponent(id)}/undelete`)
    show(context.terminal, formatOf(given), {
      value: topic,
      names: [topic.name],
      blocks: [
        tableBlock(
          [
            { header: 'UNDELETED', value: ({ name }: Undeleted) => name },
            { header: 'PARTITIONS', value: ({ partitions }: Undeleted) => partitions, align: 'right' },
          ],
          [topic],
        ),
      ],
    })
  },
}

interface Undeleted {
  readonly name: string
  readonly id: string
  readonly partitions: number
}
