// DescribeQuorum describes a quorum of one, this agent: the database keeps the cluster's metadata, so there is no metadata log and its end is 0.
// - Versions: 0–2.
// - KIPs: 595, 836 (times, 1+), 853 (directories and nodes, 2).
import { DescribeQuorum, errors } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import { handler } from './handler.ts'

const metadataTopic = '__cluster_metadata'
/** The epoch of the only election that there ever was. */
const leaderEpoch = 1

type Uses = Pick<Services, 'owners' | 'clock'>

export const describeQuorum = handler({
  api: DescribeQuorum,
  access: { operation: 'DESCRIBE', resource: 'cluster' },
  async handle({ topics }, { advertised, apiVersion }, { owners, clock }: Uses) {
    const now = clock.now()
    const described = topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex }) => {
        if (topicName !== metadataTopic || partitionIndex !== 0)
          return {
            partitionIndex,
            errorCode: errors.UNKNOWN_TOPIC_OR_PARTITION.code,
            errorMessage: 'This server does not host this topic-partition.',
            leaderId: 0,
            leaderEpoch: 0,
            highWatermark: 0,
            currentVoters: [],
            observers: [],
          }
        const voter = { replicaId: owners.brokerId, logEndOffset: 0, lastFetchTimestamp: now, lastCaughtUpTimestamp: now }
        return {
          partitionIndex,
          errorCode: 0,
          errorMessage: '',
          leaderId: owners.brokerId,
          leaderEpoch,
          highWatermark: 0,
          currentVoters: [voter],
          observers: [],
        }
      }),
    }))
    const listed = described.some(({ partitions }) => partitions.some(({ errorCode }) => errorCode === 0))
    const nodes = listed && apiVersion >= 2 ? [{ nodeId: owners.brokerId, listeners: [{ name: 'PLAINTEXT', ...advertised }] }] : []
    return { kind: 'now', response: { errorCode: 0, errorMessage: '', topics: described, nodes } }
  },
  reject: (_request, { code, message }) => ({ errorCode: code, errorMessage: message, topics: [], nodes: [] }),
})
