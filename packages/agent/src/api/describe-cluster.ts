// DescribeCluster answers the cluster's id and the live agents as brokers.
// - Versions: 0–2.
// - KIPs: 700, 430 (authorized operations), 919 (endpoint types, 1+), 1073 (fenced brokers, 2).
// - All agents name the same controller, the one with the lowest broker id. Every agent can do what a controller does.
// - Left out: controller endpoints, because there is no quorum; fenced brokers.
import { DescribeCluster, KafkaError } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import { authorizedOperations, cluster } from './authorized-operations.ts'
import { brokersFor } from './brokers.ts'
import { handler } from './handler.ts'

const brokerEndpoints = 1
const controllerEndpoints = 2

type Uses = Pick<Services, 'clusterId' | 'owners' | 'gate'>

export const describeCluster = handler({
  api: DescribeCluster,
  // Like Kafka: every client that may connect may see the brokers.
  access: { operation: 'DESCRIBE', resource: 'none' },
  async handle({ endpointType, includeClusterAuthorizedOperations }, context, services: Uses) {
    if (endpointType === controllerEndpoints)
      throw new KafkaError(
        'MISMATCHED_ENDPOINT_TYPE',
        'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER',
      )
    if (endpointType !== brokerEndpoints) throw new KafkaError('UNSUPPORTED_ENDPOINT_TYPE', `Unsupported endpoint type ${endpointType}`)
    return {
      kind: 'now',
      response: {
        throttleTimeMs: 0,
        errorCode: 0,
        endpointType,
        clusterId: services.clusterId,
        controllerId: services.owners.controllerId,
        brokers: brokersFor(context, services).map(({ nodeId, host, port, rack }) => ({ brokerId: nodeId, host, port, rack })),
        ...(includeClusterAuthorizedOperations && { clusterAuthorizedOperations: authorizedOperations(context, services, cluster) }),
      },
    }
  },
  reject: (_request, { code, message }) => ({
    throttleTimeMs: 0,
    errorCode: code,
    errorMessage: message,
    // The type of this endpoint, not the one in the request.
    endpointType: brokerEndpoints,
    clusterId: '',
    brokers: [],
  }),
})
