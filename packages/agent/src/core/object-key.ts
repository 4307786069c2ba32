// The key of an object: cluster id / spread / incarnation-nonce / sequence, relative to the store's prefix.
import type { ClusterId, Incarnation, ObjectKey, Sequence } from './ids.ts'

/** Consecutive sequences share a prefix: ext4 creates files three times as fast in the folder it used last (measured), and S3 serves thousands of requests per second on one prefix. */
const flushesPerSpread = 256

/** Undefined: it is not the key of an object of this cluster. */
export function parseObjectKey(
  cluster: ClusterId,
  key: string,
): { readonly incarnation: Incarnation; readonly sequence: Sequence } | undefined {
  const parts = /^[^/]+\/[0-9a-f]{2}\/(?<id>\d{1,16})-(?<nonce>[^/]+)\/(?<sequence>\d{12,16})$/.exec(key)?.groups
  const nonce = parts?.['nonce']
  if (nonce === undefined) return undefined
  const parsed = { incarnation: { id: Number(parts?.['id']), nonce }, sequence: Number(parts?.['sequence']) }
  return objectKey(cluster, parsed.incarnation, parsed.sequence) === key ? parsed : undefined
}

/**
 * A flush always has the same key. The spread (two hex digits) divides the keys over 256 prefixes, because object stores scale by prefix.
 * The sequence has 12 digits, so that the keys of one chain sort in order.
 */
export function objectKey(cluster: ClusterId, incarnation: Incarnation, sequence: Sequence): ObjectKey {
  const mixed = Math.imul(incarnation.id, 0x9e3779b1) ^ Math.imul(Math.floor(sequence / flushesPerSpread), 0x85ebca6b)
  const spread = (mixed >>> 24).toString(16).padStart(2, '0')
  return `${cluster}/${spread}/${incarnation.id}-${incarnation.nonce}/${String(sequence).padStart(12, '0')}`
}
