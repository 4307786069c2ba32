// Answers that are a small part of the memory that they keep from other use: a client that is slow to take them must not hold many times their size.
import type { HeldMemory } from '../memory/held-memory.ts'
import { joinChunks } from '../objects/join-chunks.ts'
import type { FetchAnswer } from './reader.ts'

/**
 * The answers, copied if what they are views of is more than `mostHeldRatio` times their size. `held` is released then. The budget of answers counts what is
 * sent, so the memory behind them is at most so many times the budget.
 */
export function withoutSparseViews(answers: readonly FetchAnswer[], held: HeldMemory, mostHeldRatio: number): readonly FetchAnswer[] {
  const memories = new Set<ArrayBufferLike>()
  let sentBytes = 0
  for (const answer of answers) {
    if (answer.kind === 'error') continue
    sentBytes += answer.sizeBytes
    for (const { buffer } of answer.chunks) memories.add(buffer)
  }
  let heldBytes = 0
  for (const { byteLength } of memories) heldBytes += byteLength
  if (heldBytes <= mostHeldRatio * sentBytes) return answers
  // One piece of memory for all partitions: each of its own would be larger than a small answer.
  const copy = joinChunks(answers.flatMap((answer) => (answer.kind === 'error' ? [] : answer.chunks)))
  let at = 0
  const copies = answers.map((answer) => {
    if (answer.kind === 'error' || answer.chunks.length === 0) return answer
    at += answer.sizeBytes
    return { ...answer, chunks: [copy.subarray(at - answer.sizeBytes, at)] }
  })
  held.release()
  return copies
}
