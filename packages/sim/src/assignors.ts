// How a leader assigns the partitions of one topic: Kafka's range assignor, and a sticky one that moves a partition only after its owner has revoked it.

export interface MemberOwnership {
  readonly memberId: string
  /** The partitions that the member owned when it joined, and the generation that assigned them. */
  readonly owned: readonly number[]
  readonly generation: number
}

/** By member id: its assigned partitions. */
export type Shares = ReadonlyMap<string, readonly number[]>

/** Eager: no member keeps anything, and each gets adjacent partitions. */
export function range(claims: readonly MemberOwnership[], partitions: number): Shares {
  const each = Math.floor(partitions / claims.length)
  const more = partitions % claims.length
  return new Map(
    inOrder(claims).map(({ memberId }, index) => {
      const first = each * index + Math.min(index, more)
      return [memberId, Array.from({ length: each + (index < more ? 1 : 0) }, (_, at) => first + at)]
    }),
  )
}

/** Cooperative (KIP-429): as balanced as possible with the fewest moves. A partition that moves is left out until its former owner has revoked it. */
export function cooperativeSticky(claims: readonly MemberOwnership[], partitions: number): Shares {
  const holders = holdersOf(claims)
  const kept = (claim: MemberOwnership): readonly number[] => claim.owned.filter((partition) => holders.get(partition) === claim)
  const inTurn = inOrder(claims).toSorted((a, b) => kept(b).length - kept(a).length)
  const more = partitions % claims.length
  const quota = (index: number): number => Math.floor(partitions / claims.length) + (index < more ? 1 : 0)
  const shares = new Map(inTurn.map((claim, index) => [claim.memberId, kept(claim).slice(0, quota(index))]))
  const stay = new Set([...shares.values()].flat())
  const free = Array.from({ length: partitions }, (_, partition) => partition).filter((partition) => !stay.has(partition))
  for (const [index, { memberId }] of inTurn.entries()) {
    const share = shares.get(memberId) ?? []
    const added = free.splice(0, quota(index) - share.length)
    const given = added.filter((partition) => claims.every((other) => other.memberId === memberId || !other.owned.includes(partition)))
    shares.set(memberId, [...share, ...given])
  }
  return shares
}

/** If two members claim a partition, the one that owned it in the later generation is right. */
function holdersOf(claims: readonly MemberOwnership[]): ReadonlyMap<number, MemberOwnership> {
  const holders = new Map<number, MemberOwnership>()
  for (const claim of claims)
    for (const partition of claim.owned) {
      const other = holders.get(partition)
      if (other === undefined || claim.generation > other.generation) holders.set(partition, claim)
    }
  return holders
}

function inOrder(claims: readonly MemberOwnership[]): readonly MemberOwnership[] {
  return claims.toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1))
}
