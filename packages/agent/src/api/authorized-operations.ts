// What a client may do with a resource, as the bit field of Metadata, DescribeCluster, DescribeTopicPartitions and DescribeGroups.
import type { Services } from '../services.ts'
import type { Operation, RequestContext, Resource } from './request-context.ts'

/** One bit for each of Kafka's ACL operation codes. */
export function authorizedOperations(context: RequestContext, services: Pick<Services, 'gate'>, resource: Describable): number {
  let bits = 0
  for (const operation of operationsOn[resource.type])
    if (services.gate.authorize(context, operation, resource)) bits |= 1 << bitOf[operation]
  return bits
}

export const cluster = { type: 'CLUSTER', name: 'kafka-cluster' } as const

/** No answer has the authorized operations of a transactional id. */
type Describable = Resource & { readonly type: keyof typeof operationsOn }

const bitOf: Record<Exclude<Operation, 'NONE'>, number> = {
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
}

const operationsOn = {
  TOPIC: ['READ', 'WRITE', 'CREATE', 'DELETE', 'ALTER', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  GROUP: ['READ', 'DELETE', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  CLUSTER: ['CREATE', 'ALTER', 'DESCRIBE', 'CLUSTER_ACTION', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS', 'IDEMPOTENT_WRITE'],
} as const
