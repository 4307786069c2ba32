// lks cluster health: whether every broker answers at its advertised address, and every partition has a leader and in-sync replicas.
import { counted } from 'local-kafka-service/internal/counted'
import { UserError } from 'local-kafka-service/internal/user-error'
import { type ClusterClient, withCluster } from '../../cluster/cluster-client.ts'
import { type ClusterBroker, type ClusterState, clusterState } from '../../cluster/cluster-metadata.ts'
import { diagnose } from '../../cluster/diagnosis.ts'
import { asServer } from '../../cluster/server-address.ts'
import type { ClientCommand } from '../client-command.ts'
import { fieldsBlock, formatOf, outputOption, show, tableBlock } from '../output/output.ts'

export const clusterHealth: ClientCommand = {
  path: ['cluster', 'health'],
  summary: 'Find unreachable brokers and unhealthy partitions.',
  arguments: [],
  options: [outputOption],
  examples: ['lks cluster health', 'lks cluster health -b broker:9092 -o json', 'lks cluster health || page-somebody'],
  async run(given, context) {
    await withCluster(context, async (cluster) => {
      const state = await clusterState(cluster, null)
      const problems = [...(await ofBrokers(cluster, state)), ...ofPartitions(state)]
      const partitions = state.topics.reduce((sum, topic) => sum + topic.partitions.length, 0)
      const facts = fieldsBlock([
        ['Health', problems.length === 0 ? 'good' : counted(problems.length, 'problem')],
        ['Brokers', state.brokers.length],
        ['Partitions', partitions],
      ])
      const columns = [
        { header: 'WHERE', value: ({ where }: HealthProblem) => where },
        { header: 'PROBLEM', value: ({ what }: HealthProblem) => what },
      ]
      show(context.terminal, formatOf(given), {
        value: { healthy: problems.length === 0, brokers: state.brokers.length, partitions, problems },
        names: problems.map(({ where }) => where),
        blocks: problems.length === 0 ? [facts] : [facts, tableBlock(columns, problems)],
      })
      if (problems.length > 0)
        throw new UserError('LKS-4013', {
          what: `the cluster has ${counted(problems.length, 'problem')}`,
          fix: ['check the brokers listed above and their logs'],
        })
    })
  },
}

interface HealthProblem {
  readonly where: string
  readonly what: string
}

async function ofBrokers({ connection }: ClusterClient, { brokers, controllerId }: ClusterState): Promise<readonly HealthProblem[]> {
  const looked = await Promise.all(
    brokers.map(async (broker: ClusterBroker) => {
      const { problem } = await diagnose(asServer(broker), connection)
      return problem === undefined ? [] : [{ where: `broker ${broker.id}`, what: problem.what }]
    }),
  )
  const controller = brokers.some(({ id }) => id === controllerId)
    ? []
    : [{ where: 'controller', what: 'the cluster has no active controller' }]
  return [...looked.flat(), ...controller]
}

/** A topic with many unhealthy partitions is one line. */
function ofPartitions({ topics }: ClusterState): readonly HealthProblem[] {
  return topics.flatMap(({ name, partitions }) => {
    const leaderless = partitions.filter(({ leader }) => leader < 0)
    const behind = partitions.filter(({ leader, replicas, isr }) => leader >= 0 && isr.length < replicas.length)
    return [
      ...(leaderless.length === 0
        ? []
        : [{ where: name, what: `${of(leaderless.length, partitions.length)} without a leader: clients can neither read nor write them` }]),
      ...(behind.length === 0
        ? []
        : [{ where: name, what: `${of(behind.length, partitions.length)} under-replicated: some replicas are not in sync` }]),
    ]
  })
}

function of(count: number, all: number): string {
  return `${count} of ${counted(all, 'partition')}`
}
