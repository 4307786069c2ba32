// Groups as a request names them, after the gate was asked.
import { errors, KafkaError, type Outcome } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import type { Operation, RequestContext } from './handler.ts'

export interface GroupQuery {
  readonly operation: Operation
  readonly context: RequestContext
  readonly services: Pick<Services, 'gate'>
}

export function mayTouchGroup(groupId: string, { operation, context, services }: GroupQuery): boolean {
  return services.gate.authorize(context, operation, { type: 'GROUP', name: groupId })
}

/** For requests about one group: throws a KafkaError when the client may not. */
export function checkGroup(groupId: string, query: GroupQuery): void {
  if (!mayTouchGroup(groupId, query)) throw new KafkaError('GROUP_AUTHORIZATION_FAILED')
}

/** For requests about many groups: one that is refused does not keep the others. Whatever is not a KafkaError stays a rejection. */
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
