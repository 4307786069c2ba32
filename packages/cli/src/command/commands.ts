// The table of commands: all commands of `lks` except those that run a server, in the order in which help and reference list them.
import { agentList } from './agent/agent-list.ts'
import { bench } from './bench/bench.ts'
import type { ClientCommand } from './client-command.ts'
import { clusterHealth } from './cluster/cluster-health.ts'
import { clusterInfo } from './cluster/cluster-info.ts'
import { clusterMemory } from './cluster/cluster-memory.ts'
import { clusterUpkeep } from './cluster/cluster-upkeep.ts'
import { completeFrom } from './completion/complete.ts'
import { completion } from './completion/completion.ts'
import { configDescribe } from './config/config-describe.ts'
import { configPrint } from './config/config-print.ts'
import { configSet } from './config/config-set.ts'
import { doctorConnect } from './doctor/doctor-connect.ts'
import { doctorPorts } from './doctor/doctor-ports.ts'
import { doctorStorage } from './doctor/doctor-storage.ts'
import { exec } from './exec.ts'
import { groupDelete } from './group/group-delete.ts'
import { groupDeleteOffsets } from './group/group-delete-offsets.ts'
import { groupDescribe } from './group/group-describe.ts'
import { groupLag } from './group/group-lag.ts'
import { groupList } from './group/group-list.ts'
import { groupSeek } from './group/group-seek.ts'
import { metadata } from './metadata.ts'
import { profileDelete } from './profile/profile-delete.ts'
import { profileList } from './profile/profile-list.ts'
import { profileSet } from './profile/profile-set.ts'
import { profileUse } from './profile/profile-use.ts'
import { consume } from './records/consume.ts'
import { produce } from './records/produce.ts'
import { query } from './records/query.ts'
import { sweep } from './sweep.ts'
import { topicAddPartitions } from './topic/topic-add-partitions.ts'
import { topicAlter } from './topic/topic-alter.ts'
import { topicCompact } from './topic/topic-compact.ts'
import { topicCreate } from './topic/topic-create.ts'
import { topicDelete } from './topic/topic-delete.ts'
import { topicDeleteRecords } from './topic/topic-delete-records.ts'
import { topicDescribe } from './topic/topic-describe.ts'
import { topicList } from './topic/topic-list.ts'
import { topicSkipDamaged } from './topic/topic-skip-damaged.ts'
import { topicUndelete } from './topic/topic-undelete.ts'
import { version } from './version-command.ts'
import { wait } from './wait.ts'

export const clientCommands: readonly ClientCommand[] = [
  produce,
  consume,
  query,
  topicList,
  topicCreate,
  topicDescribe,
  topicAlter,
  topicAddPartitions,
  topicDelete,
  topicUndelete,
  topicDeleteRecords,
  topicCompact,
  topicSkipDamaged,
  groupList,
  groupDescribe,
  groupLag,
  groupSeek,
  groupDelete,
  groupDeleteOffsets,
  metadata,
  clusterInfo,
  clusterMemory,
  clusterHealth,
  agentList,
  clusterUpkeep,
  configDescribe,
  configPrint,
  configSet,
  profileList,
  profileSet,
  profileUse,
  profileDelete,
  doctorConnect,
  doctorPorts,
  doctorStorage,
  sweep,
  bench,
  wait,
  exec,
  completion,
  completeFrom(() => clientCommands),
  version,
]

/** Groups of commands that share their first word, each with its subject. */
export const commandGroups: Readonly<Record<string, string>> = {
  topic: 'Topics',
  group: 'Consumer groups',
  cluster: 'The cluster',
  agent: 'The agents of a Local Kafka Service cluster',
  config: 'Configs',
  profile: 'Connections under names',
  doctor: 'Diagnosis',
}
