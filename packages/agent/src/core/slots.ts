// What maps to which slot: partitions, groups and transactional ids. Everything with one slot has one owner.
import type { TopicId } from './ids.ts'

/** Slots of a cluster. Fixed with the cluster: it is stored in the cluster's row, and this is what a new one gets. */
export const slotsOfNewCluster = 256

/** Neighbouring partitions of a topic fall into neighbouring slots, and so on different agents. */
export function slotOfPartition(topicId: TopicId, partition: number, slots: number): number {
  return (hash(topicId) + partition) % slots
}

/** The slot of a group id or a transactional id. */
export function slotOfName(name: string, slots: number): number {
  return hash(name) % slots
}

/** FNV-1a over UTF-16 code units, with a final mix; 32 bits, unsigned. Stored nowhere, but all agents of a cluster must agree on it. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39)
  return (h ^ (h >>> 15)) >>> 0
}
