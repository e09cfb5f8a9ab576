/** What each seed chooses for itself: a small cluster with odd options and a few kinds of trouble, rather than everything at once. */
import type { Random } from '@kavka/kernel'
import { chooseTempo } from './tempo.ts'
import type { Tempo } from './tempo.ts'

export interface SwarmOptions {
  readonly nodeCount: number
  readonly voterCount: number
  readonly replicationFactor: number
  readonly minIsr: number
  readonly segmentBytes: number
  /** An entry for almost every batch, so that a cut of a few takes several. */
  readonly denseIndexes: boolean
  readonly snapshotAfterBytes: number
  readonly logRetainedBytes: number
  /** Synced before acknowledged; else the page cache is enough, and then no power may fail. */
  readonly durability: 'synced' | 'page-cache'
  readonly replicaLagMsMax: number
  readonly sessionTimeoutMs: number
  readonly network: {
    readonly delayMsMin: number
    readonly delayMsMax: number
    readonly dropProbability: number
    readonly duplicateProbability: number
    readonly reorderProbability: number
    readonly keepAliveMs: number
  }
  readonly disk: { readonly syncMs: number; readonly syncMsMax: number; readonly storeWriteMs: number; readonly tailCacheBytes: number }
  readonly congestionProbability: number
  readonly producerCount: number
  readonly consumerCount: number
  readonly memberCount: number
  /** Administrators that create, change and delete topics all the time, besides what is planned. */
  readonly adminCount: number
  /** Of groups without members; null: days. */
  readonly offsetsRetentionMs: number | null
  /** One static member has a second process of its name. */
  readonly staticDoubles: boolean
  readonly faultKinds: readonly FaultKind[]
  readonly faultEveryMs: number
  readonly faultyMs: number
  readonly tempo: Tempo
  /** Null: topics come and go as administrators and faults have it, and nobody makes a point of it. */
  readonly passing: PassingLoad | null
}

/** Topics that are deleted and made again while clients write to them and read them. */
export interface PassingLoad {
  readonly clientCount: number
  /** Reads of files take up to that long, so that a deletion may come in between. */
  readonly readMsMax: number
  /** Records, files and directories that are deleted leave the disk after that long, and recovery points move as often. */
  readonly fileDeleteDelayMs: number
  readonly checkpointEveryMs: number
}

export const faultKinds = [
  'kill', 'power-loss', 'power-loss-of-all', 'kill-all', 'crash-in-operation', 'pause', 'clean-restart', 'clock', 'wipe', 'write-error', 'sync-error', 'disk-full',
  'store-failure', 'cut-one-way', 'split', 'isolate', 'isolate-leader', 'clog', 'reset', 'bit-flip',
  'create-topic', 'delete-topic', 'recreate-topic', 'add-partitions', 'alter-config', 'elect-leaders', 'delete-records', 'roll-kills',
] as const

/** Chosen from a stream of their own, so that the other choices of a seed stay what they were before these existed. */
const laterFaultKinds = [
  'lost-writes', 'stale-sector', 'misdirected-write', 'read-error', 'store-damage', 'slow-disk', 'clock-rate', 'rot', 'file-damage',
] as const

/** Also from a stream of their own, each by itself. */
const latestFaultKinds = ['successor-lacks-tail', 'leader-hears-late'] as const

export type FaultKind = (typeof faultKinds)[number] | (typeof laterFaultKinds)[number] | (typeof latestFaultKinds)[number] | 'overtaken-proposal' | 'replaced-in-silence' | 'reassign' | 'cancel-reassignment' | 'steal-from-originals' | 'elect-who-is-behind' | 'lost-by-successor' | 'rot-before-election' | 'recreate-while-down'

/** After these a disk may lack what only its page cache had. */
const POWER_FAULTS: readonly FaultKind[] = ['power-loss', 'power-loss-of-all', 'crash-in-operation', 'write-error', 'sync-error', 'disk-full', 'lost-writes', 'read-error']

/** One of the values, the same for the same seed. */
type Pick = <T>(...values: readonly T[]) => T

/** All but the first are streams of their own for what came later, so that old seeds go on choosing what they chose. */
export function chooseSwarm(random: Random, more: Random, later: Random, pace: Random, newest: Random, latest: Random, passing: Random): SwarmOptions {
  const pick: Pick = (...values) => values[random.below(values.length)]!
  const nodeCount = pick(1, 2, 3, 3, 3, 3, 4, 5)
  const voterCount = Math.min(nodeCount, pick(1, 3, 3, 3, 5)) as number
  const replicationFactor = Math.min(nodeCount, pick(1, 2, 3, 3, 3))
  const durability = pick('synced', 'synced', 'synced', 'page-cache' as const)
  const slow = pick(0.2, 1, 5)
  const tempo = chooseTempo(pace)
  return {
    nodeCount,
    voterCount: voterCount === 2 ? pick(1, 2) : voterCount === 4 ? 3 : voterCount,
    replicationFactor,
    minIsr: Math.min(replicationFactor, pick(1, 2, 2)),
    segmentBytes: pick(1_000, 4_000, 1_000_000),
    snapshotAfterBytes: pick(1_500, 6_000, 1_000_000),
    logRetainedBytes: pick(0, 1_000, 100_000),
    durability: durability === 'page-cache' ? 'page-cache' : 'synced',
    replicaLagMsMax: pick(1_500, 4_000, 10_000),
    sessionTimeoutMs: pick(2_000, 4_000, 9_000),
    network: chooseNetwork(pick, slow),
    disk: { syncMs: pick(0.3, 2, 8), syncMsMax: pick(0, 1, 30), storeWriteMs: pick(0.3, 2, 8), tailCacheBytes: pick(2_000, 1_000_000) },
    congestionProbability: pick(0, 0, 0.1),
    producerCount: 1 + random.below(3),
    consumerCount: 1,
    memberCount: random.below(4),
    adminCount: [0, 0, 1, 2][more.below(4)]!,
    offsetsRetentionMs: more.below(3) === 0 ? 5_000 : null,
    staticDoubles: newest.below(3) === 0,
    denseIndexes: latest.below(3) === 0,
    faultKinds: [
      ...chosenFaults(random, later, durability === 'page-cache'),
      ...(more.below(4) === 0 ? ['overtaken-proposal' as const] : []),
      ...(newest.below(4) === 0 ? ['replaced-in-silence' as const] : []),
      ...(newest.below(3) === 0 ? ['reassign' as const, 'cancel-reassignment' as const, 'steal-from-originals' as const] : []),
      ...(newest.below(5) === 0 ? ['elect-who-is-behind' as const] : []),
      ...(newest.below(5) === 0 ? ['lost-by-successor' as const] : []),
      ...(newest.below(6) === 0 ? ['rot-before-election' as const] : []),
      // Both are about a third replica.
      ...latestFaultKinds.filter(() => latest.below(4) === 0 && replicationFactor > 2),
      ...(passing.below(5) === 0 ? ['recreate-while-down' as const] : []),
    ],
    faultEveryMs: pick(300, 800, 2_000),
    faultyMs: tempo.faultyMs ?? pick(5_000, 10_000, 20_000),
    tempo,
    passing: choosePassing(passing, tempo),
  }
}

function choosePassing(random: Random, { kind }: Tempo): PassingLoad | null {
  if (random.below(4) > 0) return null
  // Each checkpoint looks at all logs: where little happens it would be most of what a run does.
  const checkpointsMs = kind === 'calm' ? [3_000] : [400, 1_200]
  const pick: Pick = (...values) => values[random.below(values.length)]!
  return { clientCount: pick(1, 1, 2), readMsMax: pick(0.5, 3, 15), fileDeleteDelayMs: pick(50, 1_000, 3_000), checkpointEveryMs: pick(...checkpointsMs) }
}

function chooseNetwork(pick: Pick, slow: number): SwarmOptions['network'] {
  return {
    delayMsMin: slow / 2,
    delayMsMax: slow * pick(1, 4, 20),
    dropProbability: pick(0, 0, 0.01, 0.1),
    duplicateProbability: pick(0, 0, 0.02, 0.1),
    reorderProbability: pick(0, 0, 0.05),
    keepAliveMs: pick(1_000, 4_000),
  }
}

function chosenFaults(random: Random, laterRandom: Random, powerMustHold: boolean): FaultKind[] {
  const choose = (kinds: readonly FaultKind[], dice: Random): FaultKind[] => {
    const chance = dice.unit() * 0.7
    return kinds.filter((kind) => dice.unit() < chance && !(powerMustHold && POWER_FAULTS.includes(kind)))
  }
  const chosen = choose(faultKinds, random)
  const later = choose(laterFaultKinds, laterRandom)
  return chosen.length + later.length > 0 ? [...chosen, ...later] : ['kill']
}
