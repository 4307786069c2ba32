// How a large message is decoded and encoded in steps, so that a server can do other work in between.

/** Elements of arrays in one step. */
export const elementsPerStep = 500

/** An array of at most so many elements, without arrays in them, is one piece of work: to stop inside of each would cost more than the work. */
export const fewElements = 32

/** Whether all arrays of the message have more elements than one step, so that it should be encoded in steps. Looks at no more elements than that. */
export function isLarge(message: object): boolean {
  return leftAfter(message, elementsPerStep) < 0
}

function leftAfter(value: unknown, elements: number): number {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return elements
  let left = elements
  if (Array.isArray(value)) {
    left -= value.length
    for (const element of value) {
      // An array has values of one type.
      if (left < 0 || typeof element !== 'object') return left
      left = leftAfter(element, left)
    }
    return left
  }
  for (const field of Object.values(value)) if (left >= 0) left = leftAfter(field, left)
  return left
}
