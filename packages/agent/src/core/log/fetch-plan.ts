// How a fetch shares its byte budget: the first partition with data always gets a batch, then each up to its own and the common limit.

export interface FetchBudget {
  /** What this ask may still take; a batch may go over it only where `atLeastOne` is set. */
  readonly bytes: number
  /** The answer is still empty: one whole batch comes, however large (KIP-74), or the consumer would be stuck for ever. */
  readonly atLeastOne: boolean
}

/** The budget of the next ask in request order, when `taken` bytes are already in the answer. Undefined: nothing more fits. */
export function nextBudget(
  ask: { readonly maxBytes: number },
  request: { readonly maxBytes: number; readonly taken: number },
): FetchBudget | undefined {
  const atLeastOne = request.taken === 0
  const bytes = Math.max(0, Math.min(ask.maxBytes, request.maxBytes - request.taken))
  return bytes === 0 && !atLeastOne ? undefined : { bytes, atLeastOne }
}
