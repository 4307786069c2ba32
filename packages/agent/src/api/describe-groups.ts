// DescribeGroups answers the state, the protocol and the members of groups.
// - Versions: 0–6.
// - KIPs: 430 (authorized operations, 3+), 1043 (GROUP_ID_NOT_FOUND, 6+).
// - A group that does not exist is Dead; from 6 on it also has an error.
import { DescribeGroups, type DescribeGroupsResponse, errors } from '@local-kafka-service/protocol'
import type { DescribedGroup } from '../coordinate/stored-groups.ts'
import type { Services } from '../services.ts'
import { unitsOfName } from '../time/turns.ts'
import { authorizedOperations } from './authorized-operations.ts'
import { eachGroup } from './group-access.ts'
import { handler } from './handler.ts'

const operationsFrom = 3
const missingFrom = 6

type Uses = Pick<Services, 'turns' | 'groups' | 'gate'>

export const describeGroups = handler({
  api: DescribeGroups,
  access: { operation: 'DESCRIBE', resource: 'group' },
  async handle(request, context, services: Uses) {
    const { apiVersion } = context
    const groups: GroupResponse[] = []
    const slice = services.turns.slice()
    const unloaded = await services.groups.unloaded(request.groups)
    for (const groupId of request.groups) {
      if (slice.spent(unitsOfName(groupId))) await slice.next()
      const outcome = await eachGroup(groupId, { operation: 'DESCRIBE', context, services }, () =>
        services.groups.describe(groupId, unloaded),
      )
      if (outcome.kind === 'error') {
        groups.push(rejected(groupId, { code: outcome.code, message: outcome.message ?? null }, apiVersion))
      } else if (outcome.value.state === 'Dead' && apiVersion >= missingFrom) {
        groups.push({
          ...rejected(groupId, { code: errors.GROUP_ID_NOT_FOUND.code, message: `Group ${groupId} not found.` }, apiVersion),
          groupState: 'Dead',
        })
      } else {
        groups.push({
          ...described(groupId, outcome.value),
          ...(request.includeAuthorizedOperations &&
            apiVersion >= operationsFrom && {
              authorizedOperations: authorizedOperations(context, services, { type: 'GROUP', name: groupId }),
            }),
        })
      }
    }
    return { kind: 'now', response: { throttleTimeMs: 0, groups } }
  },
  reject: ({ groups }, error, apiVersion) => ({
    throttleTimeMs: 0,
    groups: groups.map((groupId) => rejected(groupId, error, apiVersion)),
  }),
})

type GroupResponse = DescribeGroupsResponse['groups'][number]

function described(groupId: string, { state, protocolType, protocolName, members }: DescribedGroup): GroupResponse {
  return {
    errorCode: 0,
    groupId,
    groupState: state,
    protocolType,
    protocolData: protocolName,
    members: members.map(({ metadata, assignment, ...member }) => ({
      ...member,
      memberMetadata: metadata,
      memberAssignment: assignment,
    })),
  }
}

function rejected(
  groupId: string,
  { code, message }: { readonly code: number; readonly message: string | null },
  apiVersion: number,
): GroupResponse {
  return {
    errorCode: code,
    ...(apiVersion >= missingFrom && { errorMessage: message }),
    groupId,
    groupState: '',
    protocolType: '',
    protocolData: '',
    members: [],
  }
}
