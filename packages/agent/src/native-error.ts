// Recognizes errors of every realm: a runner such as Jest gives the code its own realm, while Node's errors come from another one.
import { types } from 'node:util'

/** `instanceof Error` is false for an error of another realm, and its code and cause would be lost. */
export function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || types.isNativeError(thrown)
}
