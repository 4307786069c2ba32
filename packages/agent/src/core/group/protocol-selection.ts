// The selection of a group's protocol: of the protocols that all members support, the one that most members prefer.
import type { MemberProtocol } from './classic-messages.ts'
import type { GroupState, MemberRow } from './classic-state.ts'
import type { Table } from './overlay.ts'

/** Whether a member with this type and these protocols may join. An empty or missing group accepts any type and at least one protocol. */
export function supportsProtocols(state: GroupState, type: string, protocols: readonly MemberProtocol[]): boolean {
  const { group, support, member } = state
  if (group === undefined || group.state === 'Empty') return type !== '' && protocols.length > 0
  return group.protocolType === type && protocols.some(({ name }) => (support.get(name) ?? 0) === member.size)
}

/**
 * Each member votes for the first of its protocols that all members support. The protocol with the most votes wins; in a tie, the one with the first vote.
 * Undefined only without members: a member joins or changes only if a common protocol remains.
 */
export function selectProtocol(members: Table<MemberRow>, support: Table<number>): string | undefined {
  const votes = new Map<string, number>()
  for (const [, { protocols }] of members) {
    const vote = protocols.find(({ name }) => support.get(name) === members.size)?.name
    if (vote !== undefined) votes.set(vote, (votes.get(vote) ?? 0) + 1)
  }
  let winner: string | undefined
  for (const [name, count] of votes) if (winner === undefined || count > (votes.get(winner) ?? 0)) winner = name
  return winner
}

export function sameProtocols(a: readonly MemberProtocol[], b: readonly MemberProtocol[]): boolean {
  return a.length === b.length && a.every((protocol, i) => sameProtocol(protocol, b[i]))
}

function sameProtocol(a: MemberProtocol, b: MemberProtocol | undefined): boolean {
  return a.name === b?.name && a.metadata.length === b.metadata.length && a.metadata.every((byte, i) => byte === b.metadata[i])
}
