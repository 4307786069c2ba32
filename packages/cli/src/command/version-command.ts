// lks version: the version of lks, Node.js and the platform.
import type { ClientCommand } from './client-command.ts'

export const version: ClientCommand = {
  path: ['version'],
  summary: 'Print the version of lks.',
  minor: true,
  arguments: [],
  options: [{ name: 'json', doc: 'Print JSON, with the version of Node.js and the platform.' }],
  examples: ['lks version', 'lks version --json'],
  standalone: true,
  async run(given, { terminal }) {
    const { productVersion } = await import('local-kafka-service/internal/version')
    const lks = productVersion()
    const { versions, platform, arch } = process
    terminal.data.write(
      given.flag('json') ? `${JSON.stringify({ lks, node: versions.node, platform: `${platform}-${arch}` })}\n` : `${lks}\n`,
    )
  },
}
