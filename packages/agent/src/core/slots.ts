// Maps partitions, groups and transactional ids to slots. Each slot has one owner.
import type { TopicId } from './ids.ts'

/** The number of slots of a new cluster. It is stored in the cluster's row and never changes. */
export const slotsOfNewCluster = 256

/** Neighbouring partitions of a topic map to neighbouring slots, and so to different agents. A request may name any partition, also a negative one. */
export function slotOfPartition(topicId: TopicId, partition: number, slots: number): number {
  const remainder = (hash(topicId) + partition) % slots
  return remainder < 0 ? remainder + slots : remainder
}

/** The slot of a group id or a transactional id. */
export function slotOfName(name: string, slots: number): number {
  return hash(name) % slots
}

/** FNV-1a over UTF-16 code units, with a final mix; 32 bits, unsigned. It is not stored, but all agents of a cluster must use the same function. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39)
  return (h ^ (h >>> 15)) >>> 0
}
