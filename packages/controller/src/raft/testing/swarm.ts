/** What one seed makes of the world: each draws its own mix of faults, so that rare combinations come up (swarm testing). */
import type { Random } from '@kavka/kernel'
import type { NetworkFaults } from '@kavka/testkit'

export interface SwarmOptions {
  readonly voterCount: number
  readonly observerCount: number
  /** How long faults rage, in virtual time. */
  readonly stormMs: number
  readonly network: NetworkFaults
  readonly writeMsMax: number
  /** Mean times between events of a kind; Infinity switches it off. */
  readonly proposalEveryMs: number
  readonly crashEveryMs: number
  readonly partitionEveryMs: number
  readonly pauseEveryMs: number
  readonly resignEveryMs: number
  /** Reports of dead peers: after a crash, and false ones. */
  readonly reportsCrashes: boolean
  readonly falseReportEveryMs: number
  readonly downMsMax: number
  readonly snapshotEveryEntries: number
  readonly snapshotPaddingBytes: number
  readonly snapshotPieceBytesMax: number
  readonly logRetainedBytes: number
  readonly fetchBytesMax: number
  /** Voters that are healed at the end: all, or only a majority. */
  readonly healsAll: boolean
}

export function drawSwarmOptions(random: Random): SwarmOptions {
  const oneOf = <T>(...choices: readonly T[]): T => choices[random.below(choices.length)]!
  const delayMsMin = oneOf(0.1, 1)
  return {
    voterCount: oneOf(1, 2, 3, 3, 3, 4, 5, 5),
    observerCount: oneOf(0, 1, 2),
    stormMs: oneOf(4000, 10_000, 20_000),
    network: {
      dropProbability: oneOf(0, 0, 0.01, 0.1, 0.3),
      duplicateProbability: oneOf(0, 0, 0.05, 0.3),
      reorderProbability: oneOf(0, 0, 0.1, 1),
      delayMsMin,
      delayMsMax: delayMsMin + oneOf(0, 1, 10, 100, 500),
    },
    writeMsMax: oneOf(0.1, 2, 20, 200),
    proposalEveryMs: oneOf(20, 100, 500),
    crashEveryMs: oneOf(Infinity, 300, 1000, 4000),
    partitionEveryMs: oneOf(Infinity, 500, 2000, 5000),
    pauseEveryMs: oneOf(Infinity, Infinity, 1000, 5000),
    resignEveryMs: oneOf(Infinity, Infinity, 700, 3000),
    reportsCrashes: oneOf(true, false),
    falseReportEveryMs: oneOf(Infinity, Infinity, 100, 1000),
    downMsMax: oneOf(50, 1000, 5000),
    snapshotEveryEntries: oneOf(Infinity, 5, 20, 60),
    snapshotPaddingBytes: oneOf(0, 100, 1000),
    snapshotPieceBytesMax: oneOf(64, 1024),
    logRetainedBytes: oneOf(0, 0, 50, 1000),
    fetchBytesMax: oneOf(1, 40, 4096),
    healsAll: oneOf(true, true, false),
  }
}
