// How a leader shares out the partitions of one topic: Kafka's range assignor, and a sticky one that moves a partition only after its owner gave it up.

export interface Claim {
  readonly memberId: string
  /** What the member held when it joined, and of which generation that was. */
  readonly owned: readonly number[]
  readonly generation: number
}

/** By member id: the partitions that it is told. */
export type Shares = ReadonlyMap<string, readonly number[]>

/** Eager: nobody keeps anything, and neighbours stay together. */
export function range(claims: readonly Claim[], partitions: number): Shares {
  const each = Math.floor(partitions / claims.length)
  const more = partitions % claims.length
  return new Map(
    inOrder(claims).map(({ memberId }, index) => {
      const first = each * index + Math.min(index, more)
      return [memberId, Array.from({ length: each + (index < more ? 1 : 0) }, (_, at) => first + at)]
    }),
  )
}

/** Cooperative (KIP-429): as even as it can be with the fewest moves; what moves from one member to another is left out until the first has given it up. */
export function cooperativeSticky(claims: readonly Claim[], partitions: number): Shares {
  const holders = holdersOf(claims)
  const kept = (claim: Claim): readonly number[] => claim.owned.filter((partition) => holders.get(partition) === claim)
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

/** Of two that claim a partition, who held it in the later generation is right. */
function holdersOf(claims: readonly Claim[]): ReadonlyMap<number, Claim> {
  const holders = new Map<number, Claim>()
  for (const claim of claims)
    for (const partition of claim.owned) {
      const other = holders.get(partition)
      if (other === undefined || claim.generation > other.generation) holders.set(partition, claim)
    }
  return holders
}

function inOrder(claims: readonly Claim[]): readonly Claim[] {
  return claims.toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1))
}
