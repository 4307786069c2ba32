// The mark of a request that another agent has forwarded: a prefix of its client id. A forwarded request is never forwarded again.

const prefix = 'lks-forwarded:'

export function forwardedClientId(clientId: string | null): string {
  return `${prefix}${clientId ?? ''}`
}

/** The id that the client sent, and whether another agent has forwarded its request. */
export function originalClient(clientId: string | null): { readonly id: string | null; readonly forwarded: boolean } {
  if (clientId?.startsWith(prefix) !== true) return { id: clientId, forwarded: false }
  return { id: clientId.slice(prefix.length), forwarded: true }
}
