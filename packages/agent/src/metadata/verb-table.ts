// Every verb by its name: names and plain inputs cross to a worker, generators do not.
import { openCluster } from './cluster.ts'
import { commit } from './commit.ts'
import { agedTopics, expirableGroups, expireOffsets, fetchOffsets, listGroups, openGroup, saveGroup } from './groups.ts'
import { allocateProducerIds, findByTime, findSegments, partitionStates } from './log-index.ts'
import { beat, leave, listLeases, listSlots, register } from './members.ts'
import { cutLogs, damagedLogs, forgetObjects, recentObjects } from './recovery.ts'
import { migrate } from './schema.ts'
import type { VerbTable } from './sql.ts'
import { createTopic, deleteTopic, findTopics, growTopic, listTopics } from './topics.ts'

export const verbs = {
  migrate,
  openCluster,
  findTopics,
  listTopics,
  createTopic,
  deleteTopic,
  growTopic,
  commit,
  findSegments,
  partitionStates,
  findByTime,
  allocateProducerIds,
  register,
  beat,
  listLeases,
  listSlots,
  leave,
  openGroup,
  saveGroup,
  listGroups,
  fetchOffsets,
  expirableGroups,
  expireOffsets,
  agedTopics,
  recentObjects,
  damagedLogs,
  cutLogs,
  forgetObjects,
} as const satisfies VerbTable

export type Verbs = typeof verbs
