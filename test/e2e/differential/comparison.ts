// Two transcripts, compared field by field, and the accepted differences that explain what differs.
import type { Difference, FieldPair } from './differences.ts'
import { isObject, keyOf, type Normal, type NormalExchange } from './normal-form.ts'

/** One field that differs. */
export interface FoundDifference {
  /** The exchange's number and request, then where in the answer: `2 CreateTopics: topics[a].errorCode` */
  readonly where: string
  /** The path without indexes, as the rows of differences write it. */
  readonly field: string
  readonly kafka: Normal | undefined
  readonly ours: Normal | undefined
}

export interface Transcripts {
  readonly kafka: readonly NormalExchange[]
  readonly ours: readonly NormalExchange[]
}

export function foundIn({ kafka, ours }: Transcripts): readonly FoundDifference[] {
  const length = Math.max(kafka.length, ours.length)
  return Array.from({ length }, (_, index) => {
    const [there, here] = [kafka[index], ours[index]]
    const where = `${index + 1} ${there?.request ?? here?.request}:`
    return [...compared({ where, path: '', field: '', kafka: there?.answer, ours: here?.answer })]
  }).flat()
}

/** The row of differences that explains a field, or undefined. */
export function explanationOf(found: FoundDifference, candidates: readonly Difference[]): Difference | undefined {
  return candidates.find(({ evidence }) => {
    if (!('fields' in evidence)) return false
    const pair = evidence.fields[found.field]
    return pair !== undefined && (pair === 'varies' || (isLike(pair[0], found.kafka) && isLike(pair[1], found.ours)))
  })
}

function isLike(wanted: FieldPair[number], value: Normal | undefined): boolean {
  return wanted === 'varies' || wanted === value
}

interface ComparedValue {
  readonly where: string
  readonly path: string
  readonly field: string
  readonly kafka: Normal | undefined
  readonly ours: Normal | undefined
}

function* compared(place: ComparedValue): Generator<FoundDifference, void, undefined> {
  const { where, path, field, kafka, ours } = place
  if (isList(kafka) && isList(ours)) yield* comparedLists(place, kafka, ours)
  else if (isObject(kafka) && isObject(ours)) {
    for (const name of new Set([...Object.keys(kafka), ...Object.keys(ours)])) {
      const of = { path: path === '' ? name : `${path}.${name}`, field: field === '' ? name : `${field}.${name}` }
      yield* compared({ where, ...of, kafka: kafka[name], ours: ours[name] })
    }
  } else if (kafka !== ours) yield { where: `${where} ${path}`, field: field === '' ? 'answer' : field, kafka, ours }
}

/** Elements of one name are compared; others are missing on one side. A name that occurs twice counts as two names. */
function* comparedLists(
  { where, path, field }: ComparedValue,
  kafka: readonly Normal[],
  ours: readonly Normal[],
): Generator<FoundDifference, void, undefined> {
  const [there, here] = [byName(kafka), byName(ours)]
  for (const name of new Set([...there.keys(), ...here.keys()]))
    yield* compared({ where, path: `${path}[${name}]`, field, kafka: there.get(name), ours: here.get(name) })
}

function byName(list: readonly Normal[]): ReadonlyMap<string, Normal> {
  const named = new Map<string, Normal>()
  for (const [index, element] of list.entries()) {
    const key = keyOf(element)
    const first = key === '' ? String(index) : key
    let name = first
    for (let count = 2; named.has(name); count++) name = `${first} #${count}`
    named.set(name, element)
  }
  return named
}

function isList(value: Normal | undefined): value is readonly Normal[] {
  return Array.isArray(value)
}
