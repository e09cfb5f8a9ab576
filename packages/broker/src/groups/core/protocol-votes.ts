import { assert } from '@kavka/kernel'
import type { GroupProtocol } from '../group-coordinator-api.ts'

/**
 * Counts how many members support each protocol, so that a join costs the joiner's protocols and not the
 * group's members.
 */
export class ProtocolVotes {
  readonly #supporters = new Map<string, number>()

  add(protocols: readonly GroupProtocol[]): void {
    for (const name of namesOf(protocols)) this.#supporters.set(name, (this.#supporters.get(name) ?? 0) + 1)
  }

  remove(protocols: readonly GroupProtocol[]): void {
    for (const name of namesOf(protocols)) {
      const count = (this.#supporters.get(name) ?? 0) - 1
      assert(count >= 0, 'a protocol loses no supporter that it did not have', { name })
      if (count === 0) this.#supporters.delete(name)
      else this.#supporters.set(name, count)
    }
  }

  anySupportedByAll(protocols: readonly GroupProtocol[], memberCount: number): boolean {
    return protocols.some(({ name }) => (this.#supporters.get(name) ?? 0) === memberCount)
  }

  /** Each member votes for the first of its protocols that all members have. */
  select(members: Iterable<{ readonly protocols: readonly GroupProtocol[] }>, memberCount: number): string {
    const votes = new Map<string, number>()
    for (const { protocols } of members) {
      const choice = protocols.find(({ name }) => this.#supporters.get(name) === memberCount)
      assert(choice !== undefined, 'members of a group have a protocol in common')
      votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
    }
    let winner: string | null = null
    for (const [name, count] of votes) if (winner === null || count > votes.get(winner)!) winner = name
    assert(winner !== null, 'a protocol is selected among members')
    return winner
  }
}

/** A client may name a protocol twice; it counts once. */
function namesOf(protocols: readonly GroupProtocol[]): Iterable<string> {
  return protocols.length === 1 ? [protocols[0]!.name] : new Set(protocols.map(({ name }) => name))
}
