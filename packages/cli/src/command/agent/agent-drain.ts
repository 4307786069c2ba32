// lks agent drain: stops an agent as SIGTERM does, through any agent of its cluster.
import type { ClientCommand } from '../client-command.ts'
import { controlOption } from '../control-option.ts'
import { controlPlaneOf } from '../control-plane-of.ts'
import { fieldsBlock, formatOf, outputOption, show } from '../output/output.ts'

export const agentDrain: ClientCommand = {
  path: ['agent', 'drain'],
  summary: 'Stop an agent: it gives its slots to the others and ends.',
  arguments: [{ name: 'agent', required: true, doc: 'The name of the agent; lks agent list shows them.' }],
  options: [controlOption, outputOption],
  examples: ['lks agent drain blue', 'lks agent drain blue --url http://kafka.internal:8000'],
  standalone: true,
  async run(given, context) {
    const [name = ''] = given.arguments
    // Another agent redirects to the control plane of this one.
    const answer = await controlPlaneOf(given, context).call<Draining>('POST', `/agents/${encodeURIComponent(name)}/drain`)
    show(context.terminal, formatOf(given), {
      value: answer,
      names: [answer.agent],
      blocks: [
        fieldsBlock([
          ['Agent', answer.agent],
          ['State', answer.state],
        ]),
      ],
    })
  },
}

/** As the server sends it. */
interface Draining {
  readonly agent: string
  readonly state: string
}
