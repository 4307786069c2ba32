// Assertions: the code states an assumption where it relies on it, and throws when the assumption is wrong.

/** The code broke its own rule: a defect, never the fault of a client or of a store. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** `what` completes the sentence "It must hold that …". Throws an AssertionError. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new AssertionError(`It must hold that ${what}.`)
}

/** `what` names the value that must exist. Throws an AssertionError. */
export function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new AssertionError(`There must be a value for ${what}.`)
  return value
}
