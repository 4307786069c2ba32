// The topics in a consumer's metadata (Kafka's ConsumerProtocolSubscription), for the rules of the group coordinator.

/**
 * The topics of a subscription; undefined if the bytes are not a valid subscription. Every version begins alike: version (int16), topics (int32 count, each
 * an int16 length and UTF-8). The bytes after them are ignored.
 */
export function subscribedTopics(metadata: Uint8Array): readonly string[] | undefined {
  const view = new DataView(metadata.buffer, metadata.byteOffset, metadata.byteLength)
  if (view.byteLength < 6 || view.getInt16(0) < 0) return undefined
  const count = view.getInt32(2)
  // Each topic has at least two bytes: a count that the bytes can't hold is rejected before any allocation.
  if (count < 0 || count > (view.byteLength - 6) / 2) return undefined
  const topics: string[] = []
  let at = 6
  for (let i = 0; i < count; i++) {
    if (at + 2 > view.byteLength) return undefined
    const length = view.getInt16(at)
    const end = at + 2 + length
    if (length < 0 || end > view.byteLength) return undefined
    topics.push(utf8.decode(metadata.subarray(at + 2, end)))
    at = end
  }
  return topics
}

const utf8 = new TextDecoder()
