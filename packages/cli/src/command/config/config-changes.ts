// Changes configs of a topic or a broker, and prints the values after the change: the common part of `topic alter` and `config set`.
import { UserError } from 'local-kafka-service/internal/user-error'
import { type ClusterClient, pause, withCluster } from '../../cluster/cluster-client.ts'
import { alterConfigs, type ConfigChange, type ConfigEntry, type ConfigResource, describeConfigs } from '../../cluster/configs.ts'
import type { CommandContext, CommandOption, ParsedCommand } from '../client-command.ts'
import { configPairs } from '../config-pairs.ts'
import { formatOf, show, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import { describedAfter } from './described-after.ts'

export const unsetOption: CommandOption = {
  name: 'unset',
  placeholder: 'key',
  repeatable: true,
  doc: 'A config to reset to its default.',
}

const describeAgainMs = 100

/** Throws a UserError when there is no change, or when one config is named twice. */
export function changesOf(pairs: readonly string[], unset: readonly string[], said: string): readonly ConfigChange[] {
  const set = configPairs(pairs, said)
  const both = unset.find((key, at) => set.some(({ name }) => name === key) || unset.indexOf(key) !== at)
  if (both !== undefined) throw new UserError('LKS-1005', { what: `${both} is named twice`, fix: ['name it only once'] })
  if (set.length + unset.length === 0)
    throw new UserError('LKS-1008', { what: 'no config was named', fix: [`name one: ${said} key=value, or --unset key`] })
  return [...set, ...unset.map((name) => ({ name, value: undefined }))]
}

/** `resources`: of one kind, and at least one. */
export async function changeConfigs(
  resources: (cluster: ClusterClient) => Promise<readonly ConfigResource[]>,
  changes: readonly ConfigChange[],
  given: ParsedCommand,
  context: CommandContext,
): Promise<void> {
  await withCluster(context, async (cluster) => {
    const changed = await resources(cluster)
    await alterConfigs(cluster, changed, changes)
    const names = changes.map(({ name }) => name)
    const now: ChangedConfig[] = []
    for (const resource of changed) {
      const { configs, shown } = await describedAfter(changes, {
        describe: () => describeConfigs(cluster, resource, names),
        pause: () => pause(describeAgainMs, context.signal),
      })
      if (!shown)
        context.terminal.talk.write(`${resource.kind} '${resource.name}': the cluster accepted the change, but does not show it yet\n`)
      now.push(...configs.map((config) => ({ ...config, resource })))
    }
    show(context.terminal, formatOf(given), {
      value: now.map(({ resource, name, value, source }) => ({ [resource.kind]: resource.name, name, value, source })),
      names: changed.length === 1 ? names : changed.map(({ name }) => name),
      blocks: [tableBlock(changed.length === 1 ? configColumns : [resourceColumn, ...configColumns], now)],
    })
  })
}

interface ChangedConfig extends ConfigEntry {
  readonly resource: ConfigResource
}

const resourceColumn: Column<ChangedConfig> = { header: 'TOPIC', value: ({ resource }) => resource.name }

/** Values may be long, so they are the last column. */
export const configColumns: readonly Column<ConfigEntry>[] = [
  { header: 'CONFIG', value: ({ name }) => name },
  { header: 'FROM', value: ({ source }) => source },
  { header: 'VALUE', value: ({ value, sensitive }) => (sensitive ? '(secret)' : (value ?? '-')) },
]
