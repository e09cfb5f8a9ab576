/**
 * What must hold of a group whatever happens to its members and its coordinator. For tests; each names what
 * was broken.
 */
import { decodeGroupValue, decodeRecordKey } from '../core/group-records.ts'
import type { LogEntry } from './core-harness.ts'

/** G1: within a generation a partition is owned by one member (by one instance, for static members). */
export class OneOwnerInvariant {
  readonly #owners = new Map<string, string>()

  assigned(generationId: number, owner: string, partitions: readonly number[]): void {
    for (const partition of partitions) {
      const slot = `${generationId}/${partition}`
      const other = this.#owners.get(slot) ?? owner
      if (other !== owner) throw new Error(`G1: partition ${partition} of generation ${generationId} is owned by ${other} and ${owner}`)
      this.#owners.set(slot, owner)
    }
  }
}

/** G2: stored generations never go back, over any number of coordinators. */
export function checkGenerationsMonotone(log: readonly LogEntry[]): void {
  let last = -1
  for (const entry of log) {
    if (entry.kind !== 'record' || entry.value === null || decodeRecordKey(entry.key).kind !== 'group') continue
    const { generation } = decodeGroupValue(entry.value)
    if (generation < last) throw new Error(`G2: generation ${generation} was stored after ${last}`)
    last = generation
  }
}

type CommitStatus = 'unknown' | 'acknowledged' | 'refused'

/**
 * G3, G4: a fetch returns the last acknowledged commit or one issued after it whose fate is open; never a
 * refused one, never one that is older than what was read before. Commits of a partition are issued, and
 * logged, in the order of their offsets.
 */
export class OffsetRegisterInvariant {
  readonly #commits = new Map<number, CommitStatus>()
  #acknowledgedMax = -1
  #readMax = -1
  readonly #name: string

  constructor(name: string) {
    this.#name = name
  }

  issued(offset: number): void {
    this.#commits.set(offset, 'unknown')
  }

  answered(offset: number, status: 'acknowledged' | 'refused'): void {
    this.#commits.set(offset, status)
    if (status === 'acknowledged') this.#acknowledgedMax = Math.max(this.#acknowledgedMax, offset)
  }

  read(offset: number): void {
    if (offset < this.#acknowledgedMax) throw new Error(`G3: ${this.#name} is ${offset}, ${this.#acknowledgedMax} was acknowledged`)
    if (offset < this.#readMax) throw new Error(`G3: ${this.#name} is ${offset}, ${this.#readMax} was read before`)
    if (offset >= 0 && this.#commits.get(offset) === undefined) throw new Error(`G3: ${this.#name} is ${offset}, which nobody committed`)
    if (this.#commits.get(offset) === 'refused') throw new Error(`G5: ${this.#name} is ${offset}, which was refused`)
    this.#readMax = offset
  }
}

/**
 * G6: when nothing goes wrong any more, all live members are in one generation and every partition has its
 * owner.
 */
export function checkConverged(
  members: readonly { readonly name: string; readonly generationId: number; readonly assignment: readonly number[]; readonly isMember: boolean }[],
  partitions: number,
): void {
  const outside = members.filter(({ isMember }) => !isMember)
  if (outside.length > 0) throw new Error(`G6: ${outside.map(({ name }) => name).join(' ')} did not get into the group`)
  const generations = new Set(members.map(({ generationId }) => generationId))
  if (generations.size > 1) throw new Error(`G6: members are in generations ${[...generations].join(' ')}`)
  const owned = members.flatMap(({ assignment }) => assignment).toSorted((a, b) => a - b)
  const expected = members.length === 0 ? [] : Array.from({ length: partitions }, (_, partition) => partition)
  if (owned.join() !== expected.join()) throw new Error(`G6: partitions ${owned.join()} are owned, not ${expected.join()}`)
}
