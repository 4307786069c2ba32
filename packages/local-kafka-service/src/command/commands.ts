// The table of commands: what `lks` can do beside running a server, in the order in which help and reference list it.
import type { ClientCommand } from './client-command.ts'
import { clusterHealth } from './cluster/cluster-health.ts'
import { clusterInfo } from './cluster/cluster-info.ts'
import { configDescribe } from './config/config-describe.ts'
import { configSet } from './config/config-set.ts'
import { groupDelete } from './group/group-delete.ts'
import { groupDescribe } from './group/group-describe.ts'
import { groupLag } from './group/group-lag.ts'
import { groupList } from './group/group-list.ts'
import { groupSeek } from './group/group-seek.ts'
import { topicAddPartitions } from './topic/topic-add-partitions.ts'
import { topicAlter } from './topic/topic-alter.ts'
import { topicCreate } from './topic/topic-create.ts'
import { topicDelete } from './topic/topic-delete.ts'
import { topicDescribe } from './topic/topic-describe.ts'
import { topicList } from './topic/topic-list.ts'
import { version } from './version-command.ts'

export const clientCommands: readonly ClientCommand[] = [
  topicList,
  topicCreate,
  topicDescribe,
  topicAlter,
  topicAddPartitions,
  topicDelete,
  groupList,
  groupDescribe,
  groupLag,
  groupSeek,
  groupDelete,
  clusterInfo,
  clusterHealth,
  configDescribe,
  configSet,
  version,
]

/** Commands that share their first word, with what they are about. */
export const commandGroups: Readonly<Record<string, string>> = {
  topic: 'Topics',
  group: 'Consumer groups: where they are, how far behind, and moving them',
  cluster: 'The cluster as a whole',
  config: 'Configs of topics and brokers',
  doctor: 'Finds out what is wrong',
}
