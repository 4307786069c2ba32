// What cannot happen: said where the code relies on it, and thrown when it happens all the same.

/** A rule of the code itself was broken: a defect, never the fault of a client or of a store. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** `what` completes the sentence "It must hold that …". Throws an AssertionError. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new AssertionError(`It must hold that ${what}.`)
}

/** `what` names the value that must be there. Throws an AssertionError. */
export function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new AssertionError(`There must be a value for ${what}.`)
  return value
}
