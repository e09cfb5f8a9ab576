/**
 * Disks that lie: what was synced is gone, elsewhere, or not what it was. Always one machine at a time, and only while others are up
 * and have all of it; then nothing else is broken until that machine has caught up, for nobody promised to survive both.
 */
import { BATCH_HEADER_BYTES, batchBaseOffset, batchesIn, offset, verifyBatchCrc } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import type { PartitionView } from '@kavka/replication'
import type { MemoryFileSystem } from '@kavka/testkit'
import type { Cluster } from '../cluster.ts'
import type { ObservedReplica } from '../node/observed-logs.ts'
import type { PlannedFault } from './fault-plan.ts'
import { restoreHiddenEnds } from './hidden-ends.ts'

const SECTOR_BYTES = 512
const CATCH_UP_MS = 15_000

interface Sector {
  readonly path: string
  readonly position: number
  readonly bytes: Buffer
}

export class DiskDamage {
  readonly #cluster: Cluster
  #quietUntilMs = 0

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** While a disk has lost something nothing else may be lost. */
  get mustBeQuiet(): boolean {
    return this.#cluster.world.nowMs < this.#quietUntilMs
  }

  wipe(id: NodeId, { durationMs }: PlannedFault): void {
    if (!this.#othersHaveEverything(id)) return
    this.#cluster.kill(id, 'kill')
    this.#cluster.wipe(id)
    this.#cluster.world.probes.hit('disk wiped')
    this.#returns(id, durationMs)
  }

  /** Damages a byte of a segment under a node that is down. */
  bitFlip(id: NodeId, { dice, durationMs }: PlannedFault): void {
    const path = this.#othersHaveEverything(id) ? this.#segmentOf(id, dice[2]!) : null
    if (path === null) return
    const { disk } = this.#takeDown(id)
    const content = disk.peek(path)
    const steps = [...batchesIn(content)].filter(({ kind }) => kind === 'complete')
    const step = steps[Math.floor(dice[3]! * steps.length)]
    if (step?.kind !== 'complete') return this.#cluster.restartLater(id, durationMs)
    // Among the records: Kafka's checksum does not cover offsets and epoch, so a flip there is another batch, not a damaged one.
    const position = step.at + BATCH_HEADER_BYTES + Math.floor(dice[1]! * (step.sizeBytes - BATCH_HEADER_BYTES))
    disk.corrupt(path, position, Buffer.from([content[position]! ^ (1 << Math.floor(dice[0]! * 8))]))
    this.#cluster.world.probes.hit('bit flipped')
    this.#cluster.world.note(`bit flipped at ${position} of ${path} of node ${id}`)
    this.#returns(id, durationMs)
  }

  /** For a while the disk says that it has synced and has not; then the power goes. */
  lostWrites(id: NodeId, { dice, durationMs }: PlannedFault): void {
    const machine = this.#cluster.machine(id)
    if (machine.stopLosing !== null || !this.#othersHaveEverything(id)) return
    const where = dice[2]! < 0.5 ? '.log' : '/data/'
    machine.stopLosing = machine.disk.loseSyncs(where)
    const losingMs = Math.min(durationMs, 2_000)
    this.#quietUntilMs = this.#cluster.world.nowMs + losingMs + CATCH_UP_MS
    this.#cluster.world.scheduler.after(losingMs, () => {
      if (machine.stopLosing === null) return
      if (this.#cluster.isHealing || !this.#othersHaveEverything(id)) {
        machine.stopLosing()
        machine.stopLosing = null
        return
      }
      this.#cluster.world.note(`node ${id} loses what it synced in ${where} for ${losingMs.toFixed(0)} ms`)
      this.#cluster.world.probes.hit('synced writes lost')
      const { disk } = machine
      const before = new Map(disk.lostPaths.filter((path) => disk.exists(path)).map((path) => [path, disk.peek(path)]))
      for (const path of disk.lostPaths) machine.rottenFiles.add(path)
      this.#cluster.loseSynced(id)
      restoreHiddenEnds(disk, before, recoveryPointsOn(disk))
      this.#returns(id, durationMs)
    })
  }

  /** A sector that never got what was written to it. */
  staleSector(id: NodeId, { dice, durationMs }: PlannedFault): void {
    const sector = this.#othersHaveEverything(id) ? this.#sectorOf(id, dice[2]!, dice[3]!) : null
    if (sector === null) return
    const { disk, rottenFiles } = this.#takeDown(id)
    rottenFiles.add(sector.path)
    disk.corrupt(sector.path, sector.position, Buffer.alloc(sector.bytes.length))
    this.#cluster.world.probes.hit('stale sector')
    this.#cluster.world.note(`stale sector at ${sector.position} of ${sector.path} of node ${id}`)
    this.#returns(id, durationMs)
  }

  /** A sector whose content went to the place of another: one is stale, the other not what it was. */
  misdirectedWrite(id: NodeId, { dice, durationMs }: PlannedFault): void {
    if (!this.#othersHaveEverything(id)) return
    const from = this.#sectorOf(id, dice[2]!, dice[3]!)
    const to = this.#sectorOf(id, dice[1]!, dice[0]!)
    if (from === null || to === null || (from.path === to.path && from.position === to.position)) return
    // Kafka's format has nothing against a whole batch of another log that lies where a batch begins.
    if (beginsWithBatch(from.bytes)) return
    const { disk, rottenFiles } = this.#takeDown(id)
    rottenFiles.add(from.path).add(to.path)
    disk.corrupt(from.path, from.position, Buffer.alloc(from.bytes.length))
    disk.corrupt(to.path, to.position, from.bytes.subarray(0, to.bytes.length))
    this.#cluster.world.probes.hit('misdirected write')
    this.#cluster.world.note(`sector at ${from.position} of ${from.path} went to ${to.position} of ${to.path} of node ${id}`)
    this.#returns(id, durationMs)
  }

  /**
   * Indexes, snapshots and small files: a flipped bit where they are binary, a lost sector where they are text. A digit that became
   * another is beyond what Kafka's text files can tell.
   */
  fileBesideTheLog(id: NodeId, { dice, durationMs }: PlannedFault): void {
    const { disk } = this.#cluster.machine(id)
    if (!this.#othersHaveEverything(id)) return
    const files = filesUnder(disk, '/data').filter((file) => !file.endsWith('.log') && !file.endsWith('.lock') && disk.sizeBytes(file) > 0)
    const path = files[Math.floor(dice[2]! * files.length)]
    if (path === undefined) return
    this.#takeDown(id)
    const content = disk.peek(path)
    const isBinary = /\.(index|timeindex|txnindex|snapshot)$/.test(path)
    const at = isBinary ? Math.floor(dice[3]! * content.length) : Math.floor(dice[3]! * Math.ceil(content.length / SECTOR_BYTES)) * SECTOR_BYTES
    const damaged = isBinary ? Buffer.from([content[at]! ^ (1 << Math.floor(dice[1]! * 8))]) : Buffer.alloc(Math.min(SECTOR_BYTES, content.length - at))
    disk.corrupt(path, at, damaged)
    this.#cluster.machine(id).rottenFiles.add(path)
    this.#cluster.metaFiles.damaged(id, path)
    this.#cluster.world.probes.hit('file beside the log damaged')
    this.#cluster.world.note(`damage at ${at} of ${path} of node ${id}`)
    this.#returns(id, durationMs)
  }

  /** A flipped bit in the metadata store: the node must refuse it. It is back when all is healed, or a while later with its old disk. */
  store(id: NodeId, { dice, durationMs }: PlannedFault): void {
    const { nodeIds, world } = this.#cluster
    const isBusy = nodeIds.some((one) => this.#cluster.node(one)?.isServing !== true || this.#cluster.machine(one).storeDamage !== null)
    const machine = this.#cluster.machine(id)
    if (isBusy || nodeIds.length < 3 || machine.stopLosing !== null) return
    this.#cluster.kill(id, 'kill')
    const keys = [...machine.store.content.keys()].toSorted()
    const key = keys[Math.floor(dice[2]! * keys.length)]
    if (key !== undefined) {
      const position = Math.floor(dice[3]! * machine.store.content.get(key)!.length)
      this.#cluster.damageStore(id, { key, position, bit: Math.floor(dice[1]! * 8) })
      world.probes.hit('metadata store damaged')
      world.note(`bit flipped at ${position} of ${key} in the metadata store of node ${id}`)
    }
    this.#cluster.restartLater(id, durationMs)
    const repairMs = durationMs + 3_000 * dice[0]!
    this.#quietUntilMs = world.nowMs + repairMs + CATCH_UP_MS
    world.scheduler.after(repairMs, () => {
      if (machine.storeDamage === null || machine.node !== null) return
      this.#cluster.restoreStore(id)
      this.#cluster.start(id)
    })
  }

  /**
   * Damages a byte of a batch under a running node, and has somebody read it there. Where memory still answers, nobody would meet the
   * damage before others may lose theirs: it is undone.
   */
  rot(id: NodeId, fault: PlannedFault): void {
    const replicas = [...(this.#cluster.node(id)?.logs?.replicas ?? [])].filter(({ log, shadow }) => log.corruption === null && shadow.batches.length > 0)
    const replica = replicas[Math.floor(fault.dice[2]! * replicas.length)]
    if (replica !== undefined) this.rotReplica(id, replica, fault)
  }

  /** False when there was nothing that could rot. */
  rotReplica(id: NodeId, replica: ObservedReplica, { dice }: PlannedFault): boolean {
    const { disk, rottenFiles, stopLosing } = this.#cluster.machine(id)
    if (stopLosing !== null || !this.#othersHaveEverything(id)) return false
    const { log } = replica
    const names = disk.list(log.directory).filter((name) => name.endsWith('.log')).sort()
    const path = `${log.directory}/${names[Math.floor(dice[1]! * names.length)]!}`
    const content = disk.peek(path)
    const step = [...batchesIn(content)].filter(({ kind }) => kind === 'complete').at(Math.floor(dice[3]! * 8))
    if (step?.kind !== 'complete') return false
    const startOffset = batchBaseOffset(content, step.at)
    if (startOffset < log.logStartOffset || startOffset >= log.durableEndOffset) return false
    const position = step.at + BATCH_HEADER_BYTES
    const before = Buffer.from([content[position]!])
    disk.corrupt(path, position, Buffer.from([before[0]! ^ 0x04]))
    const outcome = log.read({ startOffset: offset(startOffset), endOffsetMax: log.logEndOffset, bytesMax: 1, minimum: 'at-least-one-batch' })
    if (!(outcome instanceof Promise)) {
      disk.corrupt(path, position, before)
      return false
    }
    rottenFiles.add(path)
    this.#cluster.replication.disks.replicaRotted(replica)
    this.#cluster.world.probes.hit('batch rotted under a running node')
    this.#cluster.world.note(`rot at ${position} of ${path} of node ${id}`)
    this.#quietUntilMs = this.#cluster.world.nowMs + CATCH_UP_MS
    return true
  }

  #takeDown(id: NodeId): ReturnType<Cluster['machine']> {
    const machine = this.#cluster.machine(id)
    this.#cluster.kill(id, 'kill')
    this.#cluster.replication.disks.rotted(id, recoveryPointsOn(machine.disk))
    return machine
  }

  #returns(id: NodeId, delayMs: number): void {
    this.#cluster.restartLater(id, delayMs)
    this.#quietUntilMs = this.#cluster.world.nowMs + delayMs + CATCH_UP_MS
  }

  #segmentOf(id: NodeId, die: number): string | null {
    const { disk } = this.#cluster.machine(id)
    const logs = disk.exists('/data') ? disk.list('/data').filter((name) => disk.isDirectory(`/data/${name}`)) : []
    const files = logs.flatMap((name) => disk.list(`/data/${name}`).filter((file) => file.endsWith('.log')).map((file) => `/data/${name}/${file}`))
      .filter((path) => disk.sizeBytes(path) > 0)
    return files[Math.floor(die * files.length)] ?? null
  }

  #sectorOf(id: NodeId, die: number, otherDie: number): Sector | null {
    const path = this.#segmentOf(id, die)
    if (path === null) return null
    const content = this.#cluster.machine(id).disk.peek(path)
    const position = Math.floor(otherDie * Math.ceil(content.length / SECTOR_BYTES)) * SECTOR_BYTES
    return { path, position, bytes: content.subarray(position, position + SECTOR_BYTES) }
  }

  /** Not heard by all others: it may be out of every in-sync set before anybody hears of the damage, also by what the damaged node has proposed. */
  #isCutOff(id: NodeId): boolean {
    const { network, nodeIds } = this.#cluster
    if (this.#cluster.node(id)?.process.isPaused === true) return true
    return nodeIds.some((other) => other !== id && (network.isBlocked(id, other) || network.isBlocked(other, id)))
  }

  /** Somebody may be out of an in-sync set by what a leader has proposed, or a voter holds and nobody has committed yet. */
  #changesAreUnderWay(): boolean {
    const { image } = this.#cluster
    for (const { driver, replicas } of this.#cluster.nodes()) {
      const { logEndOffset, highWatermark } = driver.state
      if (logEndOffset > highWatermark) return true
      for (const { name, partitions } of image.topics.byId.values()) {
        for (const { partition } of partitions) if (isChanging(replicas?.partition({ topic: name, partition }) ?? null)) return true
      }
    }
    return false
  }

  /** Whatever this node holds is in sync on another that is up and well. */
  #othersHaveEverything(id: NodeId): boolean {
    const { image, nodeIds } = this.#cluster
    if (nodeIds.length < 2 || this.#changesAreUnderWay()) return false
    for (const one of nodeIds) {
      const { node, stopLosing, crashIn, disk, store, isStopping } = this.#cluster.machine(one)
      if (isStopping) return false
      if (one !== id && (crashIn !== null || disk.armedFaults + store.armedFaults > 0)) return false
      if (one !== id && this.#isCutOff(one)) return false
      // What has rotted in a segment that no start looks through stays unnoticed until somebody reads it.
      if (one !== id && this.#cluster.replication.disks.hasRotten(one)) return false
      if (node?.isServing !== true || (stopLosing !== null && one !== id) || this.#cluster.replication.disks.isDamaged(one)) return false
    }
    for (const topic of image.topics.byId.values()) {
      for (const { replicas, isr, removingReplicas } of topic.partitions) {
        // Who is to leave goes when all who are to come are in sync, and the damage may be unnoticed by then.
        if (replicas.includes(id) && !isr.some((other) => other !== id && !removingReplicas.includes(other))) return false
      }
    }
    return true
  }
}

function beginsWithBatch(bytes: Buffer): boolean {
  const [first] = batchesIn(bytes)
  return first?.kind === 'complete' && first.sizeBytes > BATCH_HEADER_BYTES && verifyBatchCrc(bytes, 0)
}

/** A leader that waits for an answer to what it has proposed. */
function isChanging(view: PartitionView | null): boolean {
  const { leaderState } = (view ?? {}) as { readonly leaderState?: { readonly isrState: { readonly kind: string } } | null }
  return (leaderState ?? null) !== null && leaderState!.isrState.kind !== 'committed'
}

/** What the next start takes to be on the disk, by `topic-partition`. */
function recoveryPointsOn(disk: MemoryFileSystem): Map<string, number> {
  const path = '/data/recovery-point-offset-checkpoint'
  const lines = disk.exists(path) ? disk.peek(path).toString().split('\n').slice(2) : []
  return new Map(lines.map((line) => line.split(' ')).map(([topic, partition, offset]) => [`${topic}-${partition}`, Number(offset)]))
}

function filesUnder(disk: MemoryFileSystem, directory: string): string[] {
  if (!disk.exists(directory)) return []
  return disk.list(directory).flatMap((name) => {
    const path = `${directory}/${name}`
    return disk.isDirectory(path) ? filesUnder(disk, path) : [path]
  })
}
