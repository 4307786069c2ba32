// The byte budget of a fetch: the first partition with data always gets a batch, then each gets bytes up to its own and the common limit.

export interface FetchBudget {
  /** The bytes that this partition may still take; a batch may exceed them only if `atLeastOne` is set. */
  readonly bytes: number
  /** The answer is still empty, so it gets one whole batch of any size (KIP-74); otherwise the consumer would be stuck indefinitely. */
  readonly atLeastOne: boolean
}

/** The budget of the next partition in request order, when the answer already has `taken` bytes. Undefined: nothing more fits. */
export function nextBudget(
  ask: { readonly maxBytes: number },
  request: { readonly maxBytes: number; readonly taken: number },
): FetchBudget | undefined {
  const atLeastOne = request.taken === 0
  const bytes = Math.max(0, Math.min(ask.maxBytes, request.maxBytes - request.taken))
  return bytes === 0 && !atLeastOne ? undefined : { bytes, atLeastOne }
}
