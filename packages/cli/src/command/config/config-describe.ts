// lks config describe: configs of a topic or a broker, with the source of each value.
import { UserError } from 'local-kafka-service/internal/user-error'
import { withCluster } from '../../cluster/cluster-client.ts'
import { describeConfigs, isSet } from '../../cluster/configs.ts'
import type { ClientCommand } from '../client-command.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import { configColumns } from './config-changes.ts'
import { resourceArguments, resourceOf } from './resource.ts'

export const configDescribe: ClientCommand = {
  path: ['config', 'describe'],
  summary: 'Show the configs of a topic or a broker.',
  arguments: [...resourceArguments, { name: 'key', required: false, variadic: true, doc: 'Show only these configs.' }],
  options: [{ name: 'all', short: 'a', doc: 'Also show configs that have their default.' }, outputOption],
  examples: ['lks config describe topic orders', 'lks config describe broker 1 --all', 'lks config describe topic orders retention.ms'],
  async run(given, context) {
    const resource = resourceOf(given)
    const keys = given.arguments.slice(2)
    await withCluster(context, async (cluster) => {
      const configs = await describeConfigs(cluster, resource, keys.length === 0 ? null : keys)
      const shown = configs.filter((config) => keys.length > 0 || given.flag('all') || isSet(config))
      show(context.terminal, formatOf(given), {
        value: shown.map(({ name, value, source, readOnly, sensitive, doc }) => ({ name, value, source, readOnly, sensitive, doc })),
        names: shown.map(({ name }) => name),
        blocks: shown.length === 0 ? [] : [tableBlock(configColumns, shown)],
        nothing: keys.length > 0 ? 'none of these configs exists' : `all ${configs.length} configs have their default; --all shows them`,
      })
      const unknown = keys.filter((key) => !configs.some(({ name }) => name === key))
      if (unknown.length > 0)
        throw new UserError('LKS-4007', {
          what: `${resource.kind} '${resource.name}' does not have the config ${unknown.map((key) => `'${key}'`).join(', ')}`,
          fix: [`see all: lks config describe ${resource.kind} ${resource.name} --all`],
        })
    })
  },
}
