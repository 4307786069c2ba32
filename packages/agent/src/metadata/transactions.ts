// Every transaction by its name: names and plain inputs can cross to a worker thread, generators cannot.
import { inCluster, openCluster } from './cluster.ts'
import { commit } from './commit.ts'
import { objectsAfter, objectsAt, objectTotals, saveScrub, scrubState, segmentsIn, skipDamage, skippedRanges } from './damage.ts'
import { expireKeys, expireProducerIds, expireProducers, fenceOldJobs, forgetIncarnations } from './expiry.ts'
import { fetchOffsets, fetchOffsetsAt, findGroups, listGroups } from './group-reads.ts'
import { agedTopics, expirableGroups, expireOffsets, openGroup, saveGroup } from './groups.ts'
import { allocateProducerIds, findByTime, findSegments, partitionStates } from './log-index.ts'
import { deleteRecords } from './log-start.ts'
import { beat, giveSlotsAway, leave, listLeases, listSlots, register, takeSlots } from './members.ts'
import { mergeSources, mergeStates, saveMerged } from './merge.ts'
import { objectStandings } from './orphans.ts'
import { activeProducers, partitionSizes } from './partition-reads.ts'
import { purgeStep } from './purge.ts'
import { cutLogs, damagedLogs, forgetObjects, recentObjects } from './recovery.ts'
import { changeResourceConfigs, listResourceConfigs } from './resource-configs.ts'
import { retentionDue, retentionStep } from './retention.ts'
import { migrate } from './schema.ts'
import type { TransactionTable } from './sql.ts'
import { beginJob, compactionStates, endJob, lastOffsetsOfProducers, saveCleaned, swapSegments } from './swap.ts'
import { forgetReleased, keepReleased, namedObjects, releasedObjects, unchangedReleases } from './sweep.ts'
import {
  changeTopicConfigs,
  createTopic,
  deleteTopic,
  findTopics,
  growTopic,
  listDeletedTopics,
  listTopics,
  undeleteTopic,
} from './topics.ts'
import {
  abortedTransactions,
  decideTransactional,
  findTransaction,
  listTransactions,
  pendingOffsets,
  timedOutTransactions,
  unusedTransactionalIds,
} from './transactional-ids.ts'

export const transactions = {
  migrate,
  openCluster,
  findTopics: inCluster(findTopics),
  listTopics: inCluster(listTopics),
  listDeletedTopics: inCluster(listDeletedTopics),
  createTopic: inCluster(createTopic),
  deleteTopic: inCluster(deleteTopic),
  undeleteTopic: inCluster(undeleteTopic),
  growTopic: inCluster(growTopic),
  changeTopicConfigs: inCluster(changeTopicConfigs),
  changeResourceConfigs: inCluster(changeResourceConfigs),
  listResourceConfigs: inCluster(listResourceConfigs),
  commit: inCluster(commit),
  findSegments: inCluster(findSegments),
  partitionStates: inCluster(partitionStates),
  findByTime: inCluster(findByTime),
  deleteRecords: inCluster(deleteRecords),
  allocateProducerIds: inCluster(allocateProducerIds),
  partitionSizes: inCluster(partitionSizes),
  activeProducers: inCluster(activeProducers),
  register: inCluster(register),
  beat: inCluster(beat),
  listLeases: inCluster(listLeases),
  listSlots: inCluster(listSlots),
  takeSlots: inCluster(takeSlots),
  giveSlots: inCluster(giveSlotsAway),
  leave: inCluster(leave),
  openGroup: inCluster(openGroup),
  saveGroup: inCluster(saveGroup),
  listGroups: inCluster(listGroups),
  findGroups: inCluster(findGroups),
  fetchOffsets: inCluster(fetchOffsets),
  fetchOffsetsAt: inCluster(fetchOffsetsAt),
  expirableGroups: inCluster(expirableGroups),
  expireOffsets: inCluster(expireOffsets),
  agedTopics: inCluster(agedTopics),
  recentObjects: inCluster(recentObjects),
  damagedLogs: inCluster(damagedLogs),
  cutLogs: inCluster(cutLogs),
  forgetObjects: inCluster(forgetObjects),
  objectsAfter: inCluster(objectsAfter),
  objectsAt: inCluster(objectsAt),
  objectTotals: inCluster(objectTotals),
  segmentsIn: inCluster(segmentsIn),
  skipDamage: inCluster(skipDamage),
  skippedRanges: inCluster(skippedRanges),
  scrubState: inCluster(scrubState),
  saveScrub: inCluster(saveScrub),
  beginJob: inCluster(beginJob),
  endJob: inCluster(endJob),
  swapSegments: inCluster(swapSegments),
  compactionStates: inCluster(compactionStates),
  lastOffsetsOfProducers: inCluster(lastOffsetsOfProducers),
  saveCleaned: inCluster(saveCleaned),
  mergeStates: inCluster(mergeStates),
  mergeSources: inCluster(mergeSources),
  saveMerged: inCluster(saveMerged),
  retentionDue: inCluster(retentionDue),
  retentionStep: inCluster(retentionStep),
  purgeStep: inCluster(purgeStep),
  releasedObjects: inCluster(releasedObjects),
  unchangedReleases: inCluster(unchangedReleases),
  namedObjects: inCluster(namedObjects),
  forgetReleased: inCluster(forgetReleased),
  keepReleased: inCluster(keepReleased),
  decideTransactional: inCluster(decideTransactional),
  timedOutTransactions: inCluster(timedOutTransactions),
  unusedTransactionalIds: inCluster(unusedTransactionalIds),
  findTransaction: inCluster(findTransaction),
  listTransactions: inCluster(listTransactions),
  pendingOffsets: inCluster(pendingOffsets),
  abortedTransactions: inCluster(abortedTransactions),
  objectStandings: inCluster(objectStandings),
  expireProducers: inCluster(expireProducers),
  expireKeys: inCluster(expireKeys),
  expireProducerIds: inCluster(expireProducerIds),
  forgetIncarnations: inCluster(forgetIncarnations),
  fenceOldJobs: inCluster(fenceOldJobs),
} as const satisfies TransactionTable

export type Transactions = typeof transactions

/** Those that write nothing and lock nothing. They are asked for by large requests and by upkeep, and no commit waits for them. */
export const onlyReading: ReadonlySet<keyof Transactions> = new Set<keyof Transactions>([
  'findTopics',
  'listTopics',
  'listDeletedTopics',
  'listResourceConfigs',
  'findSegments',
  'partitionStates',
  'findByTime',
  'partitionSizes',
  'activeProducers',
  'listLeases',
  'listSlots',
  'listGroups',
  'findGroups',
  'fetchOffsets',
  'fetchOffsetsAt',
  'expirableGroups',
  'agedTopics',
  'recentObjects',
  'damagedLogs',
  'objectsAfter',
  'objectsAt',
  'objectTotals',
  'segmentsIn',
  'skippedRanges',
  'scrubState',
  'compactionStates',
  'lastOffsetsOfProducers',
  'mergeStates',
  'mergeSources',
  'retentionDue',
  'releasedObjects',
  'unchangedReleases',
  'namedObjects',
  'timedOutTransactions',
  'unusedTransactionalIds',
  'findTransaction',
  'listTransactions',
  'pendingOffsets',
  'abortedTransactions',
  'objectStandings',
])
