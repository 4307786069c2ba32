// The text form of the positions of many partitions in a cursor or an event's id, short enough for a URL and a header.
import type { Positions, QueryCursor } from '@local-kafka-service/agent'

/**
 * `topicId.offsets` has the next offset of each partition in base 36, with nothing for 0, so 100 empty partitions take 100 bytes.
 * Opaque to clients.
 */
export function encodePositions({ topicId, positions }: Positions): string {
  return `${topicId}.${offsetsText(positions)}`
}

/** Undefined when the text is not valid. */
export function decodePositions(text: string): Positions | undefined {
  const [topicId, positions, ...rest] = text.split('.')
  const offsets = offsetsOf(positions)
  if (topicId === undefined || !isTopicId(topicId) || offsets === undefined || rest.length > 0) return undefined
  return { topicId, positions: offsets }
}

export function encodeCursor({ topicId, firstPartition, positions, ends }: QueryCursor): string {
  return `${topicId}.${firstPartition.toString(36)}.${offsetsText(positions)}.${offsetsText(ends)}`
}

/** Undefined when the text is not valid. */
export function decodeCursor(text: string): QueryCursor | undefined {
  const [topicId, first, positions, ends, ...rest] = text.split('.')
  const from = offsetsOf(positions)
  const until = offsetsOf(ends)
  const [firstPartition] = offsetsOf(first) ?? []
  if (
    topicId === undefined ||
    !isTopicId(topicId) ||
    from === undefined ||
    until === undefined ||
    firstPartition === undefined ||
    rest.length > 0
  )
    return undefined
  return from.length === until.length ? { topicId, firstPartition, positions: from, ends: until } : undefined
}

function offsetsText(offsets: readonly number[]): string {
  return offsets.map((offset) => (offset === 0 ? '' : offset.toString(36))).join('-')
}

function offsetsOf(text: string | undefined): readonly number[] | undefined {
  if (text === undefined || !/^[0-9a-z-]*$/.test(text)) return undefined
  const offsets = text.split('-').map((part) => (part === '' ? 0 : Number.parseInt(part, 36)))
  return offsets.every((offset) => Number.isSafeInteger(offset)) ? offsets : undefined
}

function isTopicId(text: string): boolean {
  return /^[A-Za-z0-9_-]{22}$/.test(text)
}
