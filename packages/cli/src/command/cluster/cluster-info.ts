// lks cluster info: a cluster's id, brokers, controller and APIs, and the server software that these APIs suggest.
import { withCluster } from '../../cluster/cluster-client.ts'
import { type ClusterBroker, clusterState } from '../../cluster/cluster-metadata.ts'
import { asServer } from '../../cluster/server-address.ts'
import { serverGuess } from '../../cluster/server-guess.ts'
import type { ClientCommand } from '../client-command.ts'
import { fieldsBlock, formatOf, outputOption, show, type TextBlock, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'

export const clusterInfo: ClientCommand = {
  path: ['cluster', 'info'],
  summary: 'Show the brokers, controller and APIs of the cluster.',
  arguments: [],
  options: [{ name: 'apis', short: 'a', doc: 'Also list every API with its versions.' }, outputOption],
  examples: ['lks cluster info', 'lks cluster info --apis -b broker:9092'],
  async run(given, context) {
    await withCluster(context, async (cluster) => {
      const { clusterId, controllerId, brokers, topics } = await clusterState(cluster, null)
      const apis = [...cluster.apis.values()].map(({ apiKey, name, minVersion, maxVersion }) => ({
        key: apiKey,
        name,
        min: minVersion,
        max: maxVersion,
      }))
      apis.sort((a, b) => a.key - b.key)
      const server = serverGuess(apis)
      const partitions = topics.reduce((sum, topic) => sum + topic.partitions.length, 0)
      const facts = fieldsBlock([
        ['Cluster id', clusterId ?? '-'],
        ['Server', server],
        ['Brokers', brokers.length],
        ['Controller', controllerId < 0 ? '-' : controllerId],
        ['Topics', `${topics.length}, with ${partitions} partitions`],
        ['APIs', `${apis.length}${given.flag('apis') ? '' : '  (--apis lists them)'}`],
      ])
      const blocks: TextBlock[] = [facts, tableBlock(brokerColumns(controllerId), brokers)]
      if (given.flag('apis')) blocks.push(tableBlock(apiColumns, apis))
      show(context.terminal, formatOf(given), {
        value: { clusterId, server, controllerId, brokers, topics: topics.length, partitions, apis },
        names: brokers.map(({ id }) => String(id)),
        blocks,
      })
    })
  },
}

export function brokerColumns(controllerId: number): readonly Column<ClusterBroker>[] {
  return [
    { header: 'BROKER', value: ({ id }) => id, align: 'right' },
    { header: 'ADDRESS', value: asServer },
    { header: 'RACK', value: ({ rack }) => rack ?? '-' },
    { header: 'CONTROLLER', value: ({ id }) => (id === controllerId ? 'yes' : '-') },
  ]
}

const apiColumns: readonly Column<{ readonly key: number; readonly name: string; readonly min: number; readonly max: number }>[] = [
  { header: 'KEY', value: ({ key }) => key, align: 'right' },
  { header: 'API', value: ({ name }) => name },
  { header: 'VERSIONS', value: ({ min, max }) => (min === max ? `${min}` : `${min}-${max}`) },
]
