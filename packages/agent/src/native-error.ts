// Recognizes errors of every realm, and gives their text: a runner such as Jest gives the code its own realm, while Node's errors come from another one.
import { types } from 'node:util'

/** `instanceof Error` is false for an error of another realm, and its code and cause would be lost. */
export function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || types.isNativeError(thrown)
}

/** The message of an error, or the text of any other thrown value. */
export function errorText(thrown: unknown): string {
  return isError(thrown) ? thrown.message : String(thrown)
}

/** Like `errorText`, with the stack. */
export function errorStack(thrown: unknown): string {
  return isError(thrown) ? (thrown.stack ?? thrown.message) : String(thrown)
}
