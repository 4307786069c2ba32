// The gate in front of every handler: may this client do this, and must it slow down. Allows all until security exists.
import type { Operation, RequestContext, Resource } from './handler.ts'

export interface Gate {
  authorize(context: RequestContext, operation: Operation, resource: Resource): boolean
  /** Milliseconds that the client should stay silent; goes into throttleTimeMs and pauses the connection's reads (KIP-219). */
  throttle(context: RequestContext): number
}

export const openGate: Gate = {
  authorize: () => true,
  throttle: () => 0,
}
