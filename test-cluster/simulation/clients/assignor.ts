/** How the leader of a group shares out: eagerly all at once, or cooperatively, where nobody gets what another still has (KIP-429). */

export interface Claim {
  readonly memberId: string
  /** What the member has from the generation before. */
  readonly owned: readonly string[]
}

export interface Assignment {
  readonly memberId: string
  readonly shares: readonly string[]
}

export function assignEagerly(shares: readonly string[], claims: readonly Claim[]): Assignment[] {
  return claims.map(({ memberId }, index) => ({ memberId, shares: shares.filter((_, share) => share % claims.length === index) }))
}

/** What is to move is given to nobody now: its owner gives it up, joins again, and the next generation has it free. */
export function assignCooperatively(shares: readonly string[], claims: readonly Claim[]): Assignment[] {
  const ownerOf = new Map(claims.flatMap(({ memberId, owned }) => owned.map((share) => [share, memberId] as const)))
  return assignEagerly(shares, claims).map(({ memberId, shares: wanted }) => ({
    memberId, shares: wanted.filter((share) => (ownerOf.get(share) ?? memberId) === memberId),
  }))
}
