// How a large message is decoded and encoded in steps, so that a server can do other work in between.

/** Elements of arrays in one step. */
export const elementsPerStep = 500

/** An array of at most so many elements, without arrays in them, is one piece of work: to stop inside of each would cost more than the work. */
export const fewElements = 32

/** So many characters of a string take as long as an element of an array. */
export const charactersPerElement = 256

/** Whether all arrays of the message have more elements than one step, its long strings counted as some, so that it should be encoded in steps. Looks at no more elements than that. */
export function isLarge(message: object): boolean {
  return leftAfter(message, elementsPerStep) < 0
}

function leftAfter(value: unknown, elements: number): number {
  if (typeof value === 'string') return elements - Math.floor(value.length / charactersPerElement)
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return elements
  let left = elements
  if (Array.isArray(value)) {
    left -= value.length
    for (const element of value) {
      // An array has values of one type, and those of others are short.
      if (left < 0 || (typeof element !== 'object' && typeof element !== 'string')) return left
      left = leftAfter(element, left)
    }
    return left
  }
  // Not Object.values, which would make an array for each object of each response. Messages are plain objects without inherited fields.
  for (const name in value) {
    const field = (value as Readonly<Record<string, unknown>>)[name]
    if (typeof field === 'number' || field === null) continue
    left = leftAfter(field, left)
    if (left < 0) return left
  }
  return left
}
