/** Does what the plan says, as far as it may: the run never destroys the last good copy, and heals everything at the end. */
import { BATCH_HEADER_BYTES, batchesIn } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import type { MemoryFileSystem } from '@kavka/testkit'
import type { Admin } from '../clients/admin.ts'
import { PASSING_TOPICS } from '../clients/topic-admin.ts'
import { STORE_FAILURE } from '../cluster.ts'
import type { Cluster } from '../cluster.ts'
import type { PlannedFault } from './fault-plan.ts'

const CLOCK_JUMP_MS_MAX = 3_600_000

export class FaultInjector {
  readonly #cluster: Cluster
  readonly #admin: Admin
  /** While a disk has lost something nothing else may be lost. */
  #quietUntilMs = 0
  readonly #lifts = new Set<() => void>()

  constructor(cluster: Cluster, admin: Admin) {
    this.#cluster = cluster
    this.#admin = admin
  }

  schedule(plan: readonly PlannedFault[]): void {
    for (const fault of plan) {
      this.#cluster.world.scheduler.after(Math.max(0, fault.atMs - this.#cluster.world.nowMs), () => {
        if (!this.#cluster.isHealing) this.#inject(fault)
      })
    }
  }

  /** Everything works again; `downFor`: nodes that stay down a while longer. */
  heal(downFor: readonly NodeId[]): void {
    const cluster = this.#cluster
    cluster.isHealing = true
    cluster.network.isFaulty = false
    cluster.network.heal()
    for (const lift of [...this.#lifts]) lift()
    for (const id of cluster.nodeIds) {
      cluster.machine(id).crashIn = null
      cluster.network.machineUp(id)
      cluster.resume(id)
      if (downFor.includes(id)) cluster.kill(id, 'kill')
      else if (cluster.machine(id).isBroken) {
        cluster.wipe(id)
        cluster.start(id)
      } else cluster.start(id)
    }
  }

  #inject(fault: PlannedFault): void {
    const { world, nodeIds } = this.#cluster
    const id = nodeIds[Math.floor(fault.dice[0]! * nodeIds.length)]!
    const other = nodeIds[Math.floor(fault.dice[1]! * nodeIds.length)]!
    if (world.nowMs < this.#quietUntilMs && isDestructive(fault)) return
    world.note(`fault ${fault.kind} ${id} ${other}`)
    this.#perform(fault, id, other)
  }

  #perform(fault: PlannedFault, id: NodeId, other: NodeId): void {
    switch (fault.kind) {
      case 'kill': return this.#down(id, 'kill', fault.durationMs)
      case 'power-loss': return this.#down(id, 'power', fault.durationMs)
      case 'kill-all': return this.#all('kill', fault)
      case 'power-loss-of-all': return this.#all('power', fault)
      case 'roll-kills': return this.#roll(fault)
      case 'crash-in-operation': return this.#crashInOperation(id, fault)
      case 'pause': return this.#pause(id, fault.durationMs)
      case 'clean-restart': return this.#cleanRestart(id, fault.durationMs)
      case 'clock': return this.#clock(id, fault)
      case 'wipe': return this.#wipe(id, fault)
      case 'bit-flip': return this.#bitFlip(id, fault)
      case 'write-error': return this.#fileFault(id, 'write', 'EIO')
      case 'disk-full': return this.#fileFault(id, 'write', 'ENOSPC')
      case 'sync-error': return this.#fileFault(id, 'sync', 'EIO')
      case 'store-failure': return this.#storeFailure(id)
      case 'cut-one-way': return this.#block([[id, other]], 'cut', fault.durationMs, 'link cut one way')
      case 'clog': return this.#block([[id, other], [other, id]], 'clogged', fault.durationMs, 'link clogged')
      case 'isolate': return this.#isolate(id, fault)
      case 'isolate-leader': return this.#isolate(this.#cluster.activeController?.id ?? id, fault)
      case 'split': return this.#split(fault)
      case 'reset': return this.#reset(id, other)
      default: return void this.#administer(fault)
    }
  }

  #down(id: NodeId, kind: 'kill' | 'power', durationMs: number): void {
    this.#cluster.kill(id, kind)
    this.#cluster.restartLater(id, durationMs)
  }

  #all(kind: 'kill' | 'power', fault: PlannedFault): void {
    for (const [index, id] of this.#cluster.nodeIds.entries()) this.#down(id, kind, 100 + fault.durationMs * fault.dice[index % fault.dice.length]!)
  }

  #roll(fault: PlannedFault): void {
    for (const [index, id] of this.#cluster.nodeIds.entries()) {
      this.#cluster.world.scheduler.after(index * fault.durationMs * fault.dice[2]!, () => {
        const isQuiet = this.#cluster.world.nowMs < this.#quietUntilMs
        if (!this.#cluster.isHealing && !isQuiet) this.#down(id, 'kill', fault.durationMs * fault.dice[3]!)
      })
    }
  }

  #crashInOperation(id: NodeId, { dice }: PlannedFault): void {
    this.#cluster.machine(id).crashIn = { operations: 1 + Math.floor(dice[2]! * 40), kind: dice[3]! < 0.7 ? 'power' : 'kill' }
  }

  #pause(id: NodeId, durationMs: number): void {
    const process = this.#cluster.node(id)?.process
    if (process === undefined) return
    this.#cluster.world.probes.hit('process paused')
    process.pause()
    this.#cluster.world.scheduler.after(durationMs, () => process.resume())
  }

  #cleanRestart(id: NodeId, durationMs: number): void {
    const process = this.#cluster.node(id)?.process
    this.#cluster.stopCleanly(id).then(
      () => this.#cluster.restartLater(id, durationMs),
      (error: unknown) => {
        if (process?.isAlive === true) this.#cluster.world.fail(error, `stop of node ${id}`)
      },
    )
  }

  #clock(id: NodeId, { dice }: PlannedFault): void {
    const jumpMs = Math.floor((dice[2]! - 0.5) * 2 * CLOCK_JUMP_MS_MAX)
    this.#cluster.machine(id).wallSkewMs = jumpMs
    const node = this.#cluster.node(id)
    if (node !== null) node.process.clock.wallSkewMs = jumpMs
    this.#cluster.groups.clockJumped()
    this.#cluster.world.probes.hit('clock jumped')
  }

  #wipe(id: NodeId, fault: PlannedFault): void {
    if (!this.#othersHaveEverything(id)) return
    this.#cluster.kill(id, 'kill')
    this.#cluster.wipe(id)
    this.#cluster.world.probes.hit('disk wiped')
    this.#cluster.restartLater(id, fault.durationMs)
    this.#quietUntilMs = this.#cluster.world.nowMs + fault.durationMs + 15_000
  }

  /** Damages a byte of a segment under a node that is down, where others have all of it. */
  #bitFlip(id: NodeId, { dice, durationMs }: PlannedFault): void {
    if (!this.#othersHaveEverything(id)) return
    const { disk } = this.#cluster.machine(id)
    const logs = disk.exists('/data') ? disk.list('/data').filter((name) => disk.isDirectory(`/data/${name}`)) : []
    const files = logs.flatMap((name) => disk.list(`/data/${name}`).filter((file) => file.endsWith('.log')).map((file) => `/data/${name}/${file}`))
      .filter((path) => disk.sizeBytes(path) > 0)
    const path = files[Math.floor(dice[2]! * files.length)]
    if (path === undefined) return
    this.#cluster.kill(id, 'kill')
    this.#cluster.replication.rotted(id, recoveryPointsOn(disk))
    const content = disk.readFile(path)
    const steps = [...batchesIn(content)].filter(({ kind }) => kind === 'complete')
    const step = steps[Math.floor(dice[3]! * steps.length)]
    if (step?.kind !== 'complete') return this.#cluster.restartLater(id, durationMs)
    // Among the records: Kafka's checksum does not cover offsets and epoch, so a flip there is another batch, not a damaged one.
    const position = step.at + BATCH_HEADER_BYTES + Math.floor(dice[1]! * (step.sizeBytes - BATCH_HEADER_BYTES))
    const byte = content[position]!
    disk.corrupt(path, position, Buffer.from([byte ^ (1 << Math.floor(dice[0]! * 8))]))
    this.#cluster.world.probes.hit('bit flipped')
    this.#cluster.world.note(`bit flipped at ${position} of ${path} of node ${id}`)
    this.#cluster.restartLater(id, durationMs)
    this.#quietUntilMs = this.#cluster.world.nowMs + durationMs + 15_000
  }

  #fileFault(id: NodeId, operation: 'write' | 'sync', code: 'EIO' | 'ENOSPC'): void {
    const process = this.#cluster.node(id)?.process
    if (process === undefined) return
    const probe = operation === 'sync' ? 'sync error' : code === 'EIO' ? 'write error' : 'disk full'
    this.#cluster.world.probes.hit(probe)
    // Not after a kill: Linux tells the next process of a failed sync that nobody has seen (errseq_t), which this disk does not.
    const appliesWhile = (): boolean => process.isAlive
    const lift = this.#cluster.machine(id).disk.inject({ operation, code, times: 1, pathIncludes: '/data/', appliesWhile })
    this.#lifts.add(lift)
  }

  #storeFailure(id: NodeId): void {
    if (this.#cluster.node(id) === null) return
    this.#cluster.world.probes.hit('metadata store write lost')
    this.#cluster.machine(id).store.failNext('write', new Error(STORE_FAILURE))
  }

  #isolate(id: NodeId, { dice, durationMs }: PlannedFault): void {
    const others = this.#cutOff(dice[3]!).filter((other) => other !== id)
    this.#block(others.flatMap((other) => [[id, other], [other, id]] as [number, number][]), 'cut', durationMs, 'node isolated')
  }

  #split({ dice, durationMs }: PlannedFault): void {
    const side = (id: number): boolean => (dice[2]! * 997 * id) % 1 < 0.5
    const everybody = this.#cutOff(dice[3]!)
    const links = everybody.flatMap((a) => everybody.filter((b) => side(a) !== side(b)).map((b) => [a, b] as [number, number]))
    this.#block(links, 'cut', durationMs, 'majority split')
  }

  #reset(id: NodeId, other: NodeId): void {
    this.#cluster.network.reset(id, other)
    this.#cluster.world.probes.hit('stream reset')
  }

  #block(links: readonly (readonly [number, number])[], kind: 'cut' | 'clogged', durationMs: number, probe: Parameters<Cluster['world']['probes']['hit']>[0]): void {
    const { network, world } = this.#cluster
    world.probes.hit(probe)
    for (const [from, to] of links) network.block(from, to, kind)
    world.scheduler.after(durationMs, () => {
      for (const [from, to] of links) network.unblock(from, to)
    })
  }

  async #administer({ kind, dice }: PlannedFault): Promise<void> {
    const topic = PASSING_TOPICS[Math.floor(dice[2]! * PASSING_TOPICS.length)]!
    const { probes } = this.#cluster.world
    const exists = this.#cluster.image.topics.byName.get(topic)
    switch (kind) {
      case 'create-topic': return void (await this.#admin.createTopic(topic, 1 + Math.floor(dice[3]! * 3), {}))
      case 'delete-topic': return await this.#admin.deleteTopic(topic)
      case 'recreate-topic':
        await this.#admin.deleteTopic(topic)
        if ((await this.#admin.createTopic(topic, 1 + Math.floor(dice[3]! * 3), {})) && exists !== undefined) probes.hit('topic created again')
        return
      case 'add-partitions':
        if (exists === undefined) return
        probes.hit('partitions added')
        return await this.#admin.addPartitions(topic, exists.partitions.length + 1)
      case 'alter-config':
        probes.hit('config changed')
        if (dice[3]! < 0.4) return await this.#admin.alterConfig(topic, 'min.insync.replicas', dice[3]! < 0.2 ? '1' : '2')
        return await this.#admin.alterConfig(topic, 'max.message.bytes', dice[3]! < 0.7 ? '100000' : '1000000')
      case 'elect-leaders':
        probes.hit('preferred election')
        return await this.#admin.electLeaders()
      case 'delete-records': return await this.#deleteRecords(dice[3]!)
      default:
    }
  }

  async #deleteRecords(die: number): Promise<void> {
    const { client } = this.#admin
    await client.refresh()
    const names = [...client.partitions].filter(([name, { leader }]) => !name.startsWith('__') && leader !== null)
    const [name, info] = names[Math.floor(die * names.length)] ?? [null, null]
    if (name === null) return
    const at = name.lastIndexOf('-')
    const topicPartition = { topic: name.slice(0, at), partition: Number(name.slice(at + 1)) }
    await client.call(info.leader!, 3_000, async (node) => {
      const view = node.replicas!.partition(topicPartition)
      if (view === null || view.role !== 'leader') return
      this.#cluster.world.probes.hit('records deleted')
      await node.replicas!.deleteRecords([{ topicPartition, offset: Math.floor(view.highWatermark / 2) }], 2_000)
    })
  }

  /** Whatever this node holds is in sync on another that is up and well. */
  #othersHaveEverything(id: NodeId): boolean {
    const { image, nodeIds } = this.#cluster
    if (nodeIds.length < 2 || nodeIds.some((one) => this.#cluster.node(one)?.isServing !== true || this.#cluster.replication.isDamaged(one))) return false
    for (const topic of image.topics.byId.values()) {
      for (const { replicas, isr } of topic.partitions) {
        if (replicas.includes(id) && !isr.some((other) => other !== id)) return false
      }
    }
    return true
  }

  /** Mostly the nodes alone: a deposed leader that clients still reach takes writes that others never see. At times clients too. */
  #cutOff(die: number): number[] {
    return die < 0.6 ? [...this.#cluster.nodeIds] : [...this.#cluster.nodeIds, ...this.#cluster.clientAddresses]
  }
}

/** What the next start takes to be on the disk, by `topic-partition`. */
function recoveryPointsOn(disk: MemoryFileSystem): Map<string, number> {
  const path = '/data/recovery-point-offset-checkpoint'
  const lines = disk.exists(path) ? disk.readFile(path).toString().split('\n').slice(2) : []
  return new Map(lines.map((line) => line.split(' ')).map(([topic, partition, offset]) => [`${topic}-${partition}`, Number(offset)]))
}

function isDestructive({ kind }: PlannedFault): boolean {
  return ['kill', 'power-loss', 'power-loss-of-all', 'kill-all', 'roll-kills', 'crash-in-operation', 'wipe', 'bit-flip', 'write-error', 'sync-error', 'disk-full', 'store-failure', 'isolate', 'isolate-leader', 'split', 'cut-one-way', 'clog', 'pause', 'clean-restart'].includes(kind)
}
