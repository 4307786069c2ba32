// Which partition a key goes to: murmur2, as Kafka's own producer hashes, so that a key is where any Java client, kafkajs or librdkafka's murmur2 would put it.

const seed = 0x9747b28c
const mixer = 0x5bd1e995
const rotation = 24

export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}

/** Kafka's Utils.murmur2: 32 bits, signed. */
export function murmur2(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let hash = seed ^ bytes.length
  const whole = bytes.length - (bytes.length % 4)
  for (let at = 0; at < whole; at += 4) {
    let word = Math.imul(view.getInt32(at, true), mixer)
    word = Math.imul(word ^ (word >>> rotation), mixer)
    hash = Math.imul(hash, mixer) ^ word
  }
  if (whole < bytes.length) {
    for (let at = bytes.length - 1; at >= whole; at--) hash ^= (bytes[at] ?? 0) << (8 * (at - whole))
    hash = Math.imul(hash, mixer)
  }
  hash = Math.imul(hash ^ (hash >>> 13), mixer)
  return hash ^ (hash >>> 15)
}
