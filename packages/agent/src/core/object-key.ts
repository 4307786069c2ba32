// Where an object lives: cluster id / spread / incarnation-nonce / sequence, relative to the store's prefix.
import type { ClusterId, Incarnation, ObjectKey, Sequence } from './ids.ts'

/** Neighbours stay together: a file system makes files three times as fast in the folder that it has just used (measured on ext4), and S3 takes thousands of requests per second on one prefix. */
const flushesPerSpread = 256

/**
 * One flush, one key, for ever. The spread (two hex digits) divides the keys over 256 prefixes, because object stores scale by prefix;
 * the sequence has 12 digits, so that a listing of one chain is in order.
 */
export function objectKey(cluster: ClusterId, incarnation: Incarnation, sequence: Sequence): ObjectKey {
  const mixed = Math.imul(incarnation.id, 0x9e3779b1) ^ Math.imul(Math.floor(sequence / flushesPerSpread), 0x85ebca6b)
  const spread = (mixed >>> 24).toString(16).padStart(2, '0')
  return `${cluster}/${spread}/${incarnation.id}-${incarnation.nonce}/${String(sequence).padStart(12, '0')}`
}
