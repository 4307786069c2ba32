// Whether something thrown is an error, whichever realm made it: a runner such as Jest gives the code a realm of its own, Node's errors come from another one.
import { types } from 'node:util'

/** `instanceof Error` says no to an error of another realm, and its code and cause would go unread. */
export function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || types.isNativeError(thrown)
}
