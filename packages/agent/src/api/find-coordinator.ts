// FindCoordinator names the agent that coordinates a group or a transactional id: the owner of its slot.
// - Versions: 0–6; many keys in one request from 4 on.
// - KIPs: 699 (many keys), 932 (share groups).
// - A slot without an owner is COORDINATOR_NOT_AVAILABLE: clients try again.
// - Left out: share groups. Their keys are UNSUPPORTED_VERSION, which no client retries.
import { errors, FindCoordinator, type FindCoordinatorResponse } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import { unitsOfName } from '../time/turns.ts'
import { failure } from './access.ts'
import { brokersFor } from './brokers.ts'
import { mayTouchGroup } from './group-access.ts'
import { handler } from './handler.ts'
import { reportRejection } from './rejection.ts'
import type { RequestContext, RequestScope } from './request-context.ts'
import { mayUseTransactionalId } from './transactional-id.ts'

const manyFrom = 4
const shareFrom = 6
const keyTypes = { group: 0, transaction: 1, share: 2 }

type Uses = Pick<Services, 'turns' | 'owners' | 'gate' | 'emit'>

export const findCoordinator = handler({
  api: FindCoordinator,
  access: { operation: 'DESCRIBE', resource: 'group' },
  async handle(request, context, services: Uses) {
    const { key, keyType, coordinatorKeys } = request
    if (context.apiVersion >= manyFrom) {
      const slice = services.turns.slice()
      const coordinators: NonNullable<FindCoordinatorResponse['coordinators']>[number][] = []
      for (const one of coordinatorKeys) {
        coordinators.push({ key: one, ...coordinatorOf(one, keyType, { context, services }) })
        if (slice.spent(unitsOfName(one))) await slice.next()
      }
      return { kind: 'now', response: { throttleTimeMs: 0, coordinators } }
    }
    return { kind: 'now', response: alone(coordinatorOf(key, keyType, { context, services })) }
  },
  reject: ({ coordinatorKeys }, { code, message }, apiVersion) => {
    const rejected = nowhere({ code, message })
    if (apiVersion < manyFrom) return alone(rejected)
    return { throttleTimeMs: 0, coordinators: coordinatorKeys.map((key) => ({ key, ...rejected })) }
  },
})

type Coordinator = Omit<NonNullable<FindCoordinatorResponse['coordinators']>[number], 'key'>

function coordinatorOf(key: string, keyType: number, { context, services }: RequestScope<Uses>): Coordinator {
  switch (keyType) {
    case keyTypes.group: {
      if (!mayTouchGroup(key, { operation: 'DESCRIBE', context, services })) return nowhere(errors.GROUP_AUTHORIZATION_FAILED)
      return ownerOf(key, { context, services })
    }
    case keyTypes.transaction: {
      const allowed = mayUseTransactionalId(key, 'DESCRIBE', { context, services })
      return allowed ? ownerOf(key, { context, services }) : nowhere(errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    }
    case keyTypes.share:
      if (context.apiVersion < shareFrom) return nowhere(errors.INVALID_REQUEST)
      return unsupported(`share group '${key}'`, 'Share groups are not supported by this server yet.', { context, services })
    default:
      return nowhere({
        ...failure('INVALID_REQUEST'),
        message: `Key type ${keyType} is not valid: use 0 (group), 1 (transaction) or 2 (share group).`,
      })
  }
}

function ownerOf(key: string, { context, services }: RequestScope<Uses>): Coordinator {
  const { leader } = services.owners.ofName(key)
  const broker = leader === undefined ? undefined : brokersFor(context, services).find(({ nodeId }) => nodeId === leader)
  return broker === undefined ? nowhere(errors.COORDINATOR_NOT_AVAILABLE) : { ...broker, errorCode: 0, errorMessage: noError(context) }
}

function unsupported(subject: string, message: string, of: RequestScope<Uses>): Coordinator {
  const { code } = errors.UNSUPPORTED_VERSION
  reportRejection(FindCoordinator, { subject, code, message }, of)
  return nowhere({ code, message })
}

/** Kafka's text for no error, which depends on the version. */
function noError({ apiVersion }: RequestContext): string {
  return apiVersion >= manyFrom ? '' : 'NONE'
}

/** Kafka's node for no coordinator. */
function nowhere({ code, message }: { readonly code: number; readonly message: string | null }): Coordinator {
  return { nodeId: -1, host: '', port: -1, errorCode: code, errorMessage: message }
}

function alone({ errorCode, errorMessage, nodeId, host, port }: Coordinator): FindCoordinatorResponse {
  return { throttleTimeMs: 0, errorCode, errorMessage, nodeId, host, port }
}
