// Every API of this package, by key. One more API is one more file and one more line here.

import type { Api } from '../schema/dsl.ts'
import { ApiVersions } from './api-versions.ts'
import { CreatePartitions } from './create-partitions.ts'
import { CreateTopics } from './create-topics.ts'
import { DeleteTopics } from './delete-topics.ts'
import { DescribeCluster } from './describe-cluster.ts'
import { DescribeConfigs } from './describe-configs.ts'
import { DescribeTopicPartitions } from './describe-topic-partitions.ts'
import { Fetch } from './fetch.ts'
import { InitProducerId } from './init-producer-id.ts'
import { ListOffsets } from './list-offsets.ts'
import { Metadata } from './metadata.ts'
import { OffsetForLeaderEpoch } from './offset-for-leader-epoch.ts'
import { Produce } from './produce.ts'

const all: readonly Api[] = [
  Produce,
  Fetch,
  ListOffsets,
  Metadata,
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  InitProducerId,
  OffsetForLeaderEpoch,
  DescribeConfigs,
  CreatePartitions,
  DescribeCluster,
  DescribeTopicPartitions,
]

/** The APIs that this package knows, by key. A server advertises those of them that it has handlers for. */
export const apis: ReadonlyMap<number, Api> = new Map(all.map((api) => [api.key, api]))
