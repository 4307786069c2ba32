// The gate in front of every handler decides whether a client may do an operation, and whether it must slow down. It allows everything until security exists.
import type { Operation, RequestContext, Resource } from './request-context.ts'

export interface Gate {
  authorize(context: RequestContext, operation: Operation, resource: Resource): boolean
  /** The time in milliseconds that the client has to wait. It goes into throttleTimeMs, and the connection reads nothing meanwhile (KIP-219). */
  throttle(context: RequestContext): number
}

export const openGate: Gate = {
  authorize: () => true,
  throttle: () => 0,
}
