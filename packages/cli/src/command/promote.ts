// lks promote: moves a data directory to S3 and PostgreSQL, with all its offsets, ids, groups, producers and transactions.
import { counted } from 'local-kafka-service/internal/counted'
import type { ClientCommand } from './client-command.ts'
import { confirm, yesOption } from './confirm.ts'
import { bytesText } from './output/bytes-text.ts'
import { fieldsBlock, formatOf, outputOption, show } from './output/output.ts'

export const promote: ClientCommand = {
  path: ['promote'],
  summary: 'Move a data directory to S3 and PostgreSQL, for production agents.',
  arguments: [],
  options: [
    { name: 'dir', placeholder: 'path', default: '.lks', doc: 'The data directory. Its server must have stopped.' },
    { name: 'storage', placeholder: 's3://bucket/prefix', doc: 'Where the messages go: an empty prefix. Also LKS_STORAGE.' },
    { name: 'metadata', placeholder: 'postgres://user@host/database', doc: 'Where the metadata goes. Also LKS_METADATA.' },
    yesOption,
    outputOption,
  ],
  examples: ['lks promote --storage s3://bucket/prefix --metadata postgres://lks@db/lks', 'lks promote --dir /var/lib/lks --yes'],
  standalone: true,
  minor: true,
  async run(given, context) {
    const { terminal, env } = context
    const dir = given.option('dir') ?? '.lks'
    await confirm(`Move ${dir} to S3 and PostgreSQL? It cannot be moved back, and no server will use ${dir} again.`, given, context)
    const { promoteDirectory } = await import('local-kafka-service/internal/server/promotion')
    const flags = Object.fromEntries(
      ['storage', 'metadata'].flatMap((name) => {
        const value = given.option(name)
        return value === undefined ? [] : [[name, value]]
      }),
    )
    const promoted = await promoteDirectory({ dir, sources: { flags, env, file: undefined }, onStep: () => {} })
    const { objects, clusterId, rowsWritten, storage, metadata } = promoted
    show(terminal, formatOf(given), {
      value: promoted,
      names: [clusterId],
      blocks: [
        fieldsBlock([
          ['Cluster', clusterId],
          [
            'Messages',
            `${storage}: ${counted(objects.copied, 'object')} copied, ${bytesText(objects.bytes)}; ${objects.present} were there`,
          ],
          ['Metadata', `${metadata}: ${rowsWritten ? 'written' : 'an earlier run has written it'}`],
          ['Next', `lks start --storage ${storage} --metadata ${metadata} --cluster-id ${clusterId}`],
        ]),
      ],
    })
  },
}
