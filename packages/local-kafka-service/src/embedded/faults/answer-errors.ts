// The Kafka errors in an answer, at any depth, with the topic and partition of each.
import { errorName } from '@local-kafka-service/protocol'
import type { SeenError } from './seen-request.ts'

/** At most `limit`, in the order of the answer. `nameOf`: the name of a topic that the answer names by id. */
export function errorsIn(
  response: object,
  { nameOf, limit = 100 }: { readonly nameOf: (topicId: string) => string | undefined; readonly limit?: number },
): readonly SeenError[] {
  const found: SeenError[] = []
  visit(response, {}, { nameOf, found, limit })
  return found
}

interface ErrorPlace {
  readonly topic?: string
  readonly partition?: number
  readonly group?: string
}

interface ErrorSearch {
  readonly nameOf: (topicId: string) => string | undefined
  readonly found: SeenError[]
  readonly limit: number
}

function visit(value: object, above: ErrorPlace, search: ErrorSearch): void {
  if (ArrayBuffer.isView(value) || search.found.length >= search.limit) return
  const fields = value as Readonly<Record<string, unknown>>
  const place = placeOf(fields, above, search)
  for (const [field, inner] of Object.entries(fields)) {
    // Record batches have many chunks, and no errors.
    if (field === 'records') continue
    if (typeof inner === 'number') {
      if (inner !== 0 && (field === 'errorCode' || field.endsWith('ErrorCode'))) add(inner, fields, place, search)
    } else if (Array.isArray(inner)) {
      for (const element of inner) if (typeof element === 'object' && element !== null) visit(element, place, search)
    } else if (typeof inner === 'object' && inner !== null) visit(inner, place, search)
  }
}

function add(code: number, { errorMessage }: Readonly<Record<string, unknown>>, place: ErrorPlace, { found, limit }: ErrorSearch): void {
  if (found.length >= limit) return
  const message = typeof errorMessage === 'string' && errorMessage !== '' ? { message: errorMessage } : {}
  found.push({ error: errorName(code) ?? 'UNKNOWN_SERVER_ERROR', ...place, ...message })
}

function placeOf(fields: Readonly<Record<string, unknown>>, above: ErrorPlace, { nameOf }: ErrorSearch): ErrorPlace {
  const { name, topic, topicId, resourceName, groupId, partition, partitionIndex, index } = fields
  const named = textOf(name) ?? textOf(topic) ?? (typeof topicId === 'string' ? nameOf(topicId) : undefined) ?? textOf(resourceName)
  const numbered = [partition, partitionIndex, index].find((number) => typeof number === 'number')
  if (named === undefined && numbered === undefined && typeof groupId !== 'string') return above
  return {
    ...above,
    ...(named !== undefined && { topic: named }),
    ...(numbered !== undefined && { partition: numbered }),
    ...(typeof groupId === 'string' && { group: groupId }),
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
