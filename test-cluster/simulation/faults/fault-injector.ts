/** Does what the plan says, as far as it may: the run never destroys the last good copy, and heals everything at the end. */
import type { NodeId } from '@kavka/protocol'
import type { Admin } from '../clients/admin.ts'
import { PASSING_TOPICS } from '../clients/topic-admin.ts'
import { STORE_FAILURE } from '../cluster.ts'
import type { Cluster } from '../cluster.ts'
import { DiskDamage } from './disk-damage.ts'
import { electWhoIsBehind } from './elect-behind.ts'
import type { PlannedFault } from './fault-plan.ts'
import { electUnheard } from './leader-hears-late.ts'
import { loseBySuccessor } from './lost-by-successor.ts'
import { recreateWhileDown } from './recreate-while-down.ts'
import { reassign } from './reassign.ts'
import { askBothSides, replaceCoordinator, whomToReplace } from './replaced-in-silence.ts'
import type { BothSides } from './replaced-in-silence.ts'
import { overtakeProposal } from './overtaken-proposal.ts'
import { rotBeforeElection } from './rot-before-election.ts'
import { stealFromOriginals } from './steal-from-originals.ts'
import { leaveTailBehind } from './successor-lacks-tail.ts'

const CLOCK_JUMP_MS_MAX = 3_600_000
const SLOW_DISK_MS_MAX = 4_000
/** So many clean stops do not come to their end: the process dies behind the mark that says that all is closed. */
const SHARE_OF_DEATHS_AT_MARK = 0.15

export class FaultInjector {
  readonly #cluster: Cluster
  readonly #admin: Admin
  readonly #bothSides: BothSides
  readonly #damage: DiskDamage
  readonly #lifts = new Set<() => void>()

  /** Faults of the plan that struck, or found nothing to strike. */
  injected = 0

  constructor(cluster: Cluster, admin: Admin, bothSides: BothSides) {
    this.#cluster = cluster
    this.#bothSides = bothSides
    this.#admin = admin
    this.#damage = new DiskDamage(cluster)
  }

  schedule(plan: readonly PlannedFault[]): void {
    for (const fault of plan) {
      this.#cluster.world.scheduler.after(Math.max(0, fault.atMs - this.#cluster.world.nowMs), () => {
        if (!this.#cluster.isHealing) this.#inject(fault)
      })
    }
  }

  /** While a disk has lost something nothing else may be lost. */
  get mustBeQuiet(): boolean {
    return this.#damage.mustBeQuiet
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
      cluster.machine(id).diesAtMark = null
      cluster.network.machineUp(id)
      cluster.resume(id)
      cluster.setClockRate(id, 1)
      cluster.restoreStore(id)
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
    if (this.#damage.mustBeQuiet && isDestructive(fault)) return
    this.injected++
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
      case 'clean-restart': return this.#cleanRestart(id, fault)
      case 'clock': return this.#clock(id, fault)
      case 'clock-rate': return this.#clockRate(id, fault)
      case 'wipe': return this.#damage.wipe(id, fault)
      case 'bit-flip': return this.#damage.bitFlip(id, fault)
      case 'rot': return this.#damage.rot(id, fault)
      case 'lost-writes': return this.#damage.lostWrites(id, fault)
      case 'stale-sector': return this.#damage.staleSector(id, fault)
      case 'misdirected-write': return this.#damage.misdirectedWrite(id, fault)
      case 'file-damage': return this.#damage.fileBesideTheLog(id, fault)
      case 'store-damage': return this.#damage.store(id, fault)
      case 'read-error': return this.#readErrors(id, fault)
      case 'slow-disk': return this.#slowDisk(id, fault)
      case 'write-error': return this.#fileFault(id, 'write', 'EIO')
      case 'disk-full': return this.#fileFault(id, 'write', 'ENOSPC')
      // An index is synced along with its log and other files: of several syncs at once one fails.
      case 'sync-error': return this.#fileFault(id, 'sync', 'EIO', fault.dice[2]! < 0.4 ? '.index' : '/data/')
      case 'elect-who-is-behind': return void electWhoIsBehind(this.#cluster, this.#admin, () => !this.#cluster.isHealing && !this.#damage.mustBeQuiet, fault)
      case 'store-failure': return this.#storeFailure(id)
      case 'cut-one-way': return this.#block([[id, other]], 'cut', fault.durationMs, 'link cut one way')
      case 'clog': return this.#block([[id, other], [other, id]], 'clogged', fault.durationMs, 'link clogged')
      case 'isolate': return this.#isolate(id, fault)
      case 'isolate-leader': return this.#isolate(this.#cluster.activeController?.id ?? id, fault)
      case 'split': return this.#split(fault)
      case 'reset': return this.#reset(id, other)
      case 'overtaken-proposal': return overtakeProposal(this.#cluster, () => !this.#cluster.isHealing && !this.#damage.mustBeQuiet, fault)
      case 'replaced-in-silence': return this.#replaceInSilence(fault)
      case 'rot-before-election': return rotBeforeElection(this.#cluster, this.#damage, fault)
      case 'lost-by-successor': return loseBySuccessor(this.#cluster, () => !this.#cluster.isHealing && !this.#damage.mustBeQuiet, fault)
      case 'successor-lacks-tail':
        return void leaveTailBehind(this.#cluster, this.#admin, () => !this.#cluster.isHealing && !this.#damage.mustBeQuiet, fault)
      case 'leader-hears-late': return void electUnheard(this.#cluster, () => !this.#cluster.isHealing && !this.#damage.mustBeQuiet, fault)
      case 'recreate-while-down':
        return void recreateWhileDown(this.#cluster, this.#bothSides.outside, () => !this.#cluster.isHealing && !this.#damage.mustBeQuiet, fault)
      case 'reassign': return void reassign(this.#cluster, this.#admin, fault)
      case 'cancel-reassignment': return void reassign(this.#cluster, this.#admin, fault)
      case 'steal-from-originals':
        return void stealFromOriginals(this.#cluster, this.#bothSides.outside, () => !this.#cluster.isHealing && !this.#damage.mustBeQuiet, fault)
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
        if (!this.#cluster.isHealing && !this.#damage.mustBeQuiet) this.#down(id, 'kill', fault.durationMs * fault.dice[3]!)
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

  #cleanRestart(id: NodeId, { dice, durationMs }: PlannedFault): void {
    if (dice[2]! < SHARE_OF_DEATHS_AT_MARK) this.#cluster.machine(id).diesAtMark = dice[3]! < 0.5 ? 'kill' : 'power'
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

  /** Seconds that are shorter or longer than those of the others, until all is healed. */
  #clockRate(id: NodeId, { dice }: PlannedFault): void {
    const rate = 2 ** (2 * dice[2]! - 1)
    this.#cluster.setClockRate(id, rate)
    this.#cluster.world.probes.hit('clock at another rate')
  }

  #slowDisk(id: NodeId, { dice, durationMs }: PlannedFault): void {
    const machine = this.#cluster.machine(id)
    machine.slowMsMax = 500 + dice[2]! * SLOW_DISK_MS_MAX
    this.#cluster.world.probes.hit('disk slow for seconds')
    this.#liftAfter(durationMs, () => {
      machine.slowMsMax = 0
    })
  }

  /** Some reads fail, or all for a while, as of a sector that cannot be read. */
  #readErrors(id: NodeId, { dice, durationMs }: PlannedFault): void {
    if (this.#cluster.node(id) === null) return
    this.#cluster.world.probes.hit('read error')
    const times = dice[2]! < 0.5 ? { times: 1 + Math.floor(dice[3]! * 4) } : {}
    const pathIncludes = dice[1]! < 0.5 ? '.log' : '/data/'
    this.#liftAfter(durationMs, this.#cluster.machine(id).disk.inject({ operation: 'read', code: 'EIO', pathIncludes, ...times }))
  }

  #liftAfter(durationMs: number, lift: () => void): void {
    const once = (): void => {
      if (this.#lifts.delete(once)) lift()
    }
    this.#lifts.add(once)
    this.#cluster.world.scheduler.after(durationMs, once)
  }

  #fileFault(id: NodeId, operation: 'write' | 'sync', code: 'EIO' | 'ENOSPC', pathIncludes = '/data/'): void {
    const process = this.#cluster.node(id)?.process
    if (process === undefined) return
    const probe = operation === 'sync' ? 'sync error' : code === 'EIO' ? 'write error' : 'disk full'
    this.#cluster.world.probes.hit(probe)
    // Not after a kill: Linux tells the next process of a failed sync that nobody has seen (errseq_t), which this disk does not.
    const appliesWhile = (): boolean => process.isAlive
    const lift = this.#cluster.machine(id).disk.inject({ operation, code, times: 1, pathIncludes, appliesWhile })
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

  #replaceInSilence(fault: PlannedFault): void {
    const cutOff = whomToReplace(this.#cluster, fault)
    if (cutOff === null) return
    if (cutOff.role === 'coordinator') return void replaceCoordinator(this.#cluster, cutOff)
    this.#block(cutOff.links, 'cut', cutOff.durationMs, 'leader replaced in silence')
    void askBothSides(this.#cluster, this.#bothSides, cutOff)
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

  #block(links: readonly (readonly [number, number])[], kind: Parameters<Cluster['network']['block']>[2], durationMs: number, probe: Parameters<Cluster['world']['probes']['hit']>[0]): void {
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

  /** Mostly the nodes alone: a deposed leader that clients still reach takes writes that others never see. At times clients too. */
  #cutOff(die: number): number[] {
    return die < 0.6 ? [...this.#cluster.nodeIds] : [...this.#cluster.nodeIds, ...this.#cluster.clientAddresses]
  }
}

function isDestructive({ kind }: PlannedFault): boolean {
  return ['kill', 'power-loss', 'power-loss-of-all', 'kill-all', 'roll-kills', 'crash-in-operation', 'overtaken-proposal', 'replaced-in-silence', 'steal-from-originals', 'elect-who-is-behind', 'lost-by-successor', 'rot-before-election', 'successor-lacks-tail', 'leader-hears-late', 'recreate-while-down', 'wipe', 'bit-flip', 'rot', 'write-error', 'sync-error', 'disk-full', 'store-failure', 'isolate', 'isolate-leader', 'split', 'cut-one-way', 'clog', 'pause', 'clean-restart', 'lost-writes', 'stale-sector', 'misdirected-write', 'read-error', 'store-damage', 'slow-disk', 'clock-rate', 'file-damage'].includes(kind)
}
