// The table of commands: all commands of `lks` except those that run a server, in the order in which help and reference list them. Each is loaded when it is
// called: loading all of them takes longer than most need to run.
import type { ClientCommand } from './client-command.ts'

/** By path. */
const commandModules: Readonly<Record<string, () => Promise<ClientCommand>>> = {
  produce: async () => (await import('./records/produce.ts')).produce,
  consume: async () => (await import('./records/consume.ts')).consume,
  query: async () => (await import('./records/query.ts')).query,
  'topic list': async () => (await import('./topic/topic-list.ts')).topicList,
  'topic create': async () => (await import('./topic/topic-create.ts')).topicCreate,
  'topic describe': async () => (await import('./topic/topic-describe.ts')).topicDescribe,
  'topic alter': async () => (await import('./topic/topic-alter.ts')).topicAlter,
  'topic add-partitions': async () => (await import('./topic/topic-add-partitions.ts')).topicAddPartitions,
  'topic delete': async () => (await import('./topic/topic-delete.ts')).topicDelete,
  'topic undelete': async () => (await import('./topic/topic-undelete.ts')).topicUndelete,
  'topic delete-records': async () => (await import('./topic/topic-delete-records.ts')).topicDeleteRecords,
  'topic compact': async () => (await import('./topic/topic-compact.ts')).topicCompact,
  'topic skip-damaged': async () => (await import('./topic/topic-skip-damaged.ts')).topicSkipDamaged,
  'group list': async () => (await import('./group/group-list.ts')).groupList,
  'group describe': async () => (await import('./group/group-describe.ts')).groupDescribe,
  'group lag': async () => (await import('./group/group-lag.ts')).groupLag,
  'group seek': async () => (await import('./group/group-seek.ts')).groupSeek,
  'group delete': async () => (await import('./group/group-delete.ts')).groupDelete,
  'group delete-offsets': async () => (await import('./group/group-delete-offsets.ts')).groupDeleteOffsets,
  'transaction list': async () => (await import('./transaction/transaction-list.ts')).transactionList,
  'transaction describe': async () => (await import('./transaction/transaction-describe.ts')).transactionDescribe,
  'transaction abort': async () => (await import('./transaction/transaction-abort.ts')).transactionAbort,
  metadata: async () => (await import('./metadata.ts')).metadata,
  'cluster info': async () => (await import('./cluster/cluster-info.ts')).clusterInfo,
  'cluster memory': async () => (await import('./cluster/cluster-memory.ts')).clusterMemory,
  'cluster health': async () => (await import('./cluster/cluster-health.ts')).clusterHealth,
  'agent list': async () => (await import('./agent/agent-list.ts')).agentList,
  'agent drain': async () => (await import('./agent/agent-drain.ts')).agentDrain,
  'cluster upkeep': async () => (await import('./cluster/cluster-upkeep.ts')).clusterUpkeep,
  'config describe': async () => (await import('./config/config-describe.ts')).configDescribe,
  'config print': async () => (await import('./config/config-print.ts')).configPrint,
  'config set': async () => (await import('./config/config-set.ts')).configSet,
  'profile list': async () => (await import('./profile/profile-list.ts')).profileList,
  'profile set': async () => (await import('./profile/profile-set.ts')).profileSet,
  'profile use': async () => (await import('./profile/profile-use.ts')).profileUse,
  'profile delete': async () => (await import('./profile/profile-delete.ts')).profileDelete,
  'doctor connect': async () => (await import('./doctor/doctor-connect.ts')).doctorConnect,
  'doctor ports': async () => (await import('./doctor/doctor-ports.ts')).doctorPorts,
  'doctor storage': async () => (await import('./doctor/doctor-storage.ts')).doctorStorage,
  sweep: async () => (await import('./sweep.ts')).sweep,
  promote: async () => (await import('./promote.ts')).promote,
  bench: async () => (await import('./bench/bench.ts')).bench,
  wait: async () => (await import('./wait.ts')).wait,
  exec: async () => (await import('./exec.ts')).exec,
  completion: async () => (await import('./completion/completion.ts')).completion,
  __complete: async () => (await import('./completion/complete.ts')).completeFrom(allCommands),
  version: async () => (await import('./version-command.ts')).version,
}

/** The only command that these words call; undefined if they do not begin with the path of one, and for a group or an alias. */
export async function calledCommand(words: readonly string[]): Promise<ClientCommand | undefined> {
  const [first = '', second = ''] = words[0] === '--version' ? ['version'] : words
  const path = [first, `${first} ${second}`].find((candidate) => Object.hasOwn(commandModules, candidate))
  return path === undefined ? undefined : await commandModules[path]?.()
}

export async function allCommands(): Promise<readonly ClientCommand[]> {
  return await Promise.all(Object.values(commandModules).map((load) => load()))
}

/** Groups of commands that share their first word, each with its subject. */
export const commandGroups: Readonly<Record<string, string>> = {
  topic: 'Topics',
  group: 'Consumer groups',
  transaction: 'Transactions',
  cluster: 'The cluster',
  agent: 'The agents of a Local Kafka Service cluster',
  config: 'Configs',
  profile: 'Connections under names',
  doctor: 'Diagnosis',
}
