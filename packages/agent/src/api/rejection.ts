// Reports a rejection and its reason to the operator: many answers have no field for a message, and many clients do not show it.
import { type Api, errorName } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import type { RequestContext } from './request-context.ts'

export interface Rejection {
  /** What the rejection is about: `topic 'orders'`. Undefined: the whole request. */
  readonly subject?: string
  readonly code: number
  readonly message?: string | undefined
}

export function reportRejection(
  api: Api,
  { subject, code, message }: Rejection,
  { context, services }: { readonly context: Pick<RequestContext, 'client' | 'apiVersion'>; readonly services: Pick<Services, 'emit'> },
): void {
  const { id, software, address } = context.client
  services.emit({
    kind: 'rejected',
    client: { id, software, address },
    api: api.name,
    version: context.apiVersion,
    subject,
    error: errorName(code) ?? 'UNKNOWN_SERVER_ERROR',
    message: message ?? '',
  })
}
