// The errors of an answer, counted by their codes: a request about many partitions can have many.

/** A larger answer is counted up to here, so that the walk stays a small part of its encoding. */
const mostObjects = 2_000

/** Code → how often it is in the answer; undefined if it has no error. */
export function errorCodesIn(response: object): ReadonlyMap<number, number> | undefined {
  const counted: Counted = { codes: undefined, left: mostObjects }
  visit(response as AnswerFields, counted)
  return counted.codes
}

type AnswerFields = Readonly<Record<string, unknown>>

interface Counted {
  codes: Map<number, number> | undefined
  left: number
}

function visit(fields: AnswerFields, counted: Counted): void {
  counted.left -= 1
  const { errorCode } = fields
  if (typeof errorCode === 'number' && errorCode !== 0) add(errorCode, counted)
  for (const name in fields) {
    const inner = fields[name]
    // Records have no errors.
    if (typeof inner !== 'object' || inner === null || name === 'records' || ArrayBuffer.isView(inner)) continue
    if (Array.isArray(inner)) visitAll(inner, counted)
    else visit(inner as AnswerFields, counted)
  }
}

function visitAll(elements: readonly unknown[], counted: Counted): void {
  for (const element of elements) {
    // The elements of an array are all messages, or all plain values.
    if (typeof element !== 'object' || element === null || counted.left <= 0) return
    visit(element as AnswerFields, counted)
  }
}

function add(code: number, counted: Counted): void {
  counted.codes ??= new Map()
  counted.codes.set(code, (counted.codes.get(code) ?? 0) + 1)
}
