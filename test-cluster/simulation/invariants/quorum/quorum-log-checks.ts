/**
 * The promises about the logs of the metadata quorum, §2.1 (R4, R8, R9, R10), judged on what each voter has on its disk at the
 * moment of each write. A log is kept as a chain of checksums: equal links are equal prefixes, so each step costs the same.
 */
import { crc32 } from 'node:zlib'
import type { KeyValueWrite } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import type { World } from '../../world/world.ts'

/** How the quorum keeps its state; a copy of the format on purpose, so that a change of it is noticed. */
const ENTRY_PREFIX = 'raft/log/'
const LOG_START_KEY = 'raft/log-start'
const CHECKSUM_BYTES = 4
const EPOCH_AT = CHECKSUM_BYTES + 1

/** What a leader says of itself when it has committed something. */
export interface LeaderPosition {
  readonly nodeId: NodeId
  readonly epoch: number
  readonly highWatermark: number
  readonly logEndOffset: number
}

export class QuorumLogChecks {
  readonly #world: World
  readonly #voterIds: readonly NodeId[]
  readonly #logs = new Map<NodeId, ChainedLog>()
  /** By offset and epoch of an entry: the chain up to it, wherever it was first seen. */
  readonly #chains = new Map<string, number>()
  readonly #committedEpochs: (number | undefined)[] = []
  #committedEnd = 0
  #committedChain = 0
  #newestLeaderEpoch = 0
  #leaderHighWatermark = 0

  constructor(options: { readonly voterIds: readonly NodeId[] }, dependencies: { readonly world: World }) {
    this.#voterIds = options.voterIds
    this.#world = dependencies.world
  }

  /** One durable write of a node. */
  stored(id: NodeId, writes: readonly KeyValueWrite[]): void {
    const log = this.#logOf(id)
    let isCut = false
    for (const write of writes) {
      if (write.kind === 'delete-range' && write.from.startsWith(ENTRY_PREFIX)) isCut = this.#cut(id, log, write) || isCut
      else if (write.kind === 'put' && write.key.startsWith(ENTRY_PREFIX)) this.#append(id, log, offsetOf(write.key), write.value)
      else if (write.kind === 'put' && write.key === LOG_START_KEY) this.#startAt(log, write.value)
    }
    if (isCut) this.#quorumHasCommitted()
  }

  /** A process starts on this store: whatever of the last writes had reached it counts. */
  started(id: NodeId, content: ReadonlyMap<string, Uint8Array>): void {
    const log = new ChainedLog()
    this.#logs.set(id, log)
    const start = content.get(LOG_START_KEY)
    if (start !== undefined) this.#startAt(log, start)
    for (const key of [...content.keys()].filter((one) => one.startsWith(ENTRY_PREFIX)).toSorted()) {
      const offset = offsetOf(key)
      if (offset >= log.start) this.#append(id, log, offset, content.get(key)!)
    }
    this.#quorumHasCommitted()
  }

  /** R10: of the newest leader, whatever it committed last. */
  leaderCommitted({ nodeId, epoch, highWatermark, logEndOffset }: LeaderPosition): void {
    const details = { node: nodeId, epoch, highWatermark, logEndOffset }
    this.#world.judge('R10 MonotonicHW', highWatermark <= logEndOffset, details)
    if (epoch < this.#newestLeaderEpoch) return
    this.#newestLeaderEpoch = epoch
    this.#world.judge('R10 MonotonicHW', highWatermark >= this.#leaderHighWatermark, { ...details, before: this.#leaderHighWatermark })
    this.#leaderHighWatermark = highWatermark
    this.#majorityReached(details)
  }

  /** R10: nobody knows more to be committed than it has. */
  followerCommitted({ nodeId, highWatermark, logEndOffset }: Omit<LeaderPosition, 'epoch'>): void {
    this.#world.judge('R10 MonotonicHW', highWatermark <= logEndOffset, { node: nodeId, highWatermark, logEndOffset })
  }

  /** An entry was committed, for the first time that anybody knows; R9. */
  committed(offset: number, epoch: number): void {
    this.#committedEnd = offset + 1
    this.#committedEpochs[offset] = epoch
    this.#committedChain = this.#chains.get(`${offset}/${epoch}`) ?? UNKNOWN
    this.#quorumHasCommitted()
  }

  /** R8: by count, whatever the entries are. */
  #majorityReached(details: { readonly highWatermark: number }): void {
    const reached = this.#voterIds.filter((id) => this.#logOf(id).end >= details.highWatermark)
    this.#world.judge('R8 MajorityReachedHW', reached.length >= this.#majority, { ...details, reached: reached.join() })
  }

  /** R9: so few lack something committed that they are no majority. */
  #quorumHasCommitted(): void {
    const lacking = this.#voterIds.filter((id) => !this.#hasCommitted(this.#logOf(id)))
    this.#world.judge('R9 QuorumLog', lacking.length < this.#majority, { committedEnd: this.#committedEnd, lacking: lacking.join() })
  }

  #hasCommitted(log: ChainedLog): boolean {
    if (log.end < this.#committedEnd) return false
    const chain = log.chainAt(this.#committedEnd - 1)
    return chain === UNKNOWN || this.#committedChain === UNKNOWN || chain === this.#committedChain
  }

  /** R4. */
  #append(id: NodeId, log: ChainedLog, offset: number, value: Uint8Array): void {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.length)
    const epoch = bytes.readUInt32BE(EPOCH_AT)
    // What lay behind it would go on after an entry that it never followed.
    this.#world.judge('R4 LogMatching', offset === log.end, { node: id, offset, end: log.end })
    log.cutTo(offset)
    log.append(bytes, epoch)
    const chain = log.chainAt(offset)
    if (chain === UNKNOWN) return
    const key = `${offset}/${epoch}`
    const known = this.#chains.get(key)
    this.#world.judge('R4 LogMatching', known === undefined || known === chain, { node: id, offset, epoch })
    this.#chains.set(key, chain)
  }

  /** True when entries at the end went. */
  #cut(id: NodeId, log: ChainedLog, { from, to }: { readonly from: string; readonly to: string }): boolean {
    const first = offsetOf(from)
    if (first === 0 && to !== `${ENTRY_PREFIX}~`) {
      log.trimTo(offsetOf(to))
      return false
    }
    const epoch = log.epochAt(first)
    if (epoch !== null) {
      const committed = this.#committedEpochs[first] ?? null
      this.#world.judge('R10 MonotonicHW', epoch !== committed, { node: id, truncatedTo: first, epoch, committedEnd: this.#committedEnd })
    }
    log.cutTo(first)
    return true
  }

  #startAt(log: ChainedLog, value: Uint8Array): void {
    const { offset, previousEpoch } = JSON.parse(Buffer.from(value).subarray(CHECKSUM_BYTES).toString()) as { offset: number; previousEpoch: number }
    log.startAt(offset, this.#chains.get(`${offset - 1}/${previousEpoch}`) ?? UNKNOWN)
  }

  #logOf(id: NodeId): ChainedLog {
    let log = this.#logs.get(id)
    if (log === undefined) this.#logs.set(id, (log = new ChainedLog()))
    return log
  }

  get #majority(): number {
    return Math.floor(this.#voterIds.length / 2) + 1
  }
}

/** Of a prefix that nobody has seen being written. */
const UNKNOWN = -1

class ChainedLog {
  start = 0
  #startChain = 0
  #chains: number[] = []
  #epochs: number[] = []

  get end(): number {
    return this.start + this.#chains.length
  }

  /** Of everything up to and with that offset; `UNKNOWN` below the start and beyond the end. */
  chainAt(offset: number): number {
    if (offset === this.start - 1) return this.#startChain
    return this.#chains[offset - this.start] ?? UNKNOWN
  }

  epochAt(offset: number): number | null {
    return this.#epochs[offset - this.start] ?? null
  }

  append(entry: Buffer, epoch: number): void {
    const before = this.#chains.at(-1) ?? this.#startChain
    this.#chains.push(before === UNKNOWN ? UNKNOWN : crc32(entry, before))
    this.#epochs.push(epoch)
  }

  cutTo(end: number): void {
    if (end >= this.end) return
    this.#chains.length = Math.max(0, end - this.start)
    this.#epochs.length = this.#chains.length
  }

  trimTo(start: number): void {
    if (start > this.start) this.startAt(start, start <= this.end ? this.chainAt(start - 1) : UNKNOWN)
  }

  startAt(start: number, chain: number): void {
    const dropped = start <= this.end && start >= this.start ? start - this.start : Infinity
    this.#chains = this.#chains.slice(dropped)
    this.#epochs = this.#epochs.slice(dropped)
    if (start !== this.start || chain !== UNKNOWN) this.#startChain = chain
    this.start = start
  }
}

function offsetOf(key: string): number {
  return Number(key.slice(ENTRY_PREFIX.length))
}
