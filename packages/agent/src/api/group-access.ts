// The check of a client's rights to the groups that a request names.
import { errors, KafkaError, type Outcome } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import type { Operation, RequestScope } from './request-context.ts'

export interface GroupQuery extends RequestScope<Pick<Services, 'gate'>> {
  readonly operation: Operation
}

export function mayTouchGroup(groupId: string, { operation, context, services }: GroupQuery): boolean {
  return services.gate.authorize(context, operation, { type: 'GROUP', name: groupId })
}

/** For requests about one group: throws a KafkaError when the client does not have the right. */
export function checkGroup(groupId: string, query: GroupQuery): void {
  if (!mayTouchGroup(groupId, query)) throw new KafkaError('GROUP_AUTHORIZATION_FAILED')
}

/** For requests about many groups: the rejection of one group does not affect the others. Rejects with any error that is not a KafkaError. */
export async function eachGroup<T>(groupId: string, query: GroupQuery, ask: () => Promise<T>): Promise<Outcome<T>> {
  if (!mayTouchGroup(groupId, query)) return { kind: 'error', code: errors.GROUP_AUTHORIZATION_FAILED.code }
  return await ask().then(
    (value): Outcome<T> => ({ kind: 'ok', value }),
    (error: unknown): Outcome<T> => {
      if (error instanceof KafkaError) return { kind: 'error', code: error.code, message: error.message }
      throw error
    },
  )
}
