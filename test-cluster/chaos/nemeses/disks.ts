/** Nemeses of disks: full, failing, slow, without power, damaged, empty. */
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '@kavka/kernel'
import { eventually } from '../../process/eventually.ts'
import type { ChaosNode } from '../cluster/chaos-cluster.ts'
import { run } from '../machine/commands.ts'
import { SyscallFaults } from '../machine/syscall-faults.ts'
import { flipBitIn } from './bit-flips.ts'
import type { Rot } from './bit-flips.ts'
import { anyNode, describeNode, someLeader } from './nemesis.ts'
import type { Nemesis } from './nemesis.ts'
import { startAll } from './processes.ts'

const SLOW_SYNC_MICROSECONDS = [20_000, 100_000, 400_000]

export const fullDisk: Nemesis = {
  name: 'full-disk', does: 'no block is left on a node\'s disk', reach: 'minority', target: 'node', needs: ['disks'], managedOnly: true,
  async strike(stage) {
    const victim = someLeader(stage)
    const description = `full disk of ${describeNode(stage, victim)}`
    victim.disk!.fill()
    return Promise.resolve({
      description,
      mayEnd: [victim.nodeId],
      holds: [victim.nodeId],
      heal: async () => {
        victim.disk!.drain()
        await restart(victim)
      },
    })
  },
}

export const syncError: Nemesis = {
  name: 'sync-error', does: 'every sync of a node fails with EIO', reach: 'minority', target: 'node', needs: ['tracing'], managedOnly: true,
  async strike(stage) {
    const victim = someLeader(stage)
    const description = `failing syncs of ${describeNode(stage, victim)}`
    const faults = await SyscallFaults.onSyncs(victim.pid!, 'error=EIO')
    return {
      description,
      mayEnd: [victim.nodeId],
      holds: [victim.nodeId],
      heal: async () => {
        await faults.stop()
        // What it holds in memory and on disk may differ now: a restart reads what is there.
        await restart(victim)
      },
    }
  },
}

export const slowDisk: Nemesis = {
  name: 'slow-disk', does: 'every sync of a node takes its time', reach: 'minority', target: 'node', needs: ['tracing'], managedOnly: true,
  async strike(stage) {
    const victim = someLeader(stage)
    const microseconds = SLOW_SYNC_MICROSECONDS[stage.random.below(SLOW_SYNC_MICROSECONDS.length)]!
    const description = `syncs of ${describeNode(stage, victim)} take ${microseconds / 1000} ms more`
    const faults = await SyscallFaults.onSyncs(victim.pid!, `delay_enter=${microseconds}`)
    return { description, holds: [victim.nodeId], heal: () => faults.stop() }
  },
}

export const powerLoss: Nemesis = {
  name: 'power-loss', does: 'a node dies and loses what it had not synced', reach: 'minority', target: 'node', needs: ['disks'], managedOnly: true,
  async strike(stage) {
    const victim = someLeader(stage)
    const description = `power loss of ${describeNode(stage, victim)}`
    await losePower([victim])
    return { description, mayEnd: [victim.nodeId], holds: [victim.nodeId], heal: () => powerOn([victim]) }
  },
}

export const powerLossAll: Nemesis = {
  name: 'power-loss-all', does: 'all nodes die at once and lose what they had not synced', reach: 'majority', target: 'all-nodes', needs: ['disks'], managedOnly: true,
  async strike({ cluster }) {
    await losePower(cluster.nodes)
    return { description: 'power loss of all nodes', mayEnd: cluster.nodes.map(({ nodeId }) => nodeId), holds: cluster.nodes.map(({ nodeId }) => nodeId), heal: () => powerOn(cluster.nodes) }
  },
}

/** Always the same node: a good copy of everything must be left. */
export const bitFlip: Nemesis = {
  name: 'bit-flip', does: 'a bit of a stopped node\'s segment or index is wrong when it comes back', reach: 'minority', target: 'alone', needs: [], managedOnly: true,
  async strike(stage) {
    const victim = stage.cluster.nodes.at(-1)!
    const description = describeNode(stage, victim)
    await victim.kill()
    const rot = flipBit(victim, stage.view.topic, stage.random)
    const damaged = rot === null ? 'no file (nothing is written yet)' : `${rot.file} at byte ${rot.at}`
    return {
      description: `bit flip in ${damaged} of ${description}`, mayEnd: [victim.nodeId], holds: [victim.nodeId], rot: rot === null ? [] : [rot],
      heal: () => victim.start(),
    }
  },
}

export const wipeDisk: Nemesis = {
  name: 'wipe-disk', does: 'a node comes back with an empty disk', reach: 'minority', target: 'alone', needs: [], managedOnly: true,
  async strike(stage) {
    const victim = stage.cluster.nodes.at(-1)!
    const description = `wiped disk of ${describeNode(stage, victim)}`
    await victim.kill()
    for (const name of readdirSync(victim.dataDirectory!)) rmSync(join(victim.dataDirectory!, name), { recursive: true })
    return { description, mayEnd: [victim.nodeId], heal: () => victim.start() }
  },
}

export const fdExhaustion: Nemesis = {
  name: 'fd-exhaustion', does: 'a node can open no file and take no connection', reach: 'minority', target: 'node', needs: ['limits'], managedOnly: true,
  async strike(stage) {
    const victim = anyNode(stage)
    const [soft, hard] = run('prlimit', '--nofile', '--raw', '--noheadings', '--output', 'SOFT,HARD', '--pid', String(victim.pid)).trim().split(/\s+/)
    const open = readdirSync(`/proc/${victim.pid}/fd`).length
    run('prlimit', `--nofile=${open}:${hard}`, '--pid', String(victim.pid))
    return {
      description: `${describeNode(stage, victim)} has ${open} file descriptors and gets no more`,
      mayEnd: [victim.nodeId],
      holds: [victim.nodeId],
      heal: async () => {
        if (victim.isRunning) run('prlimit', `--nofile=${soft}:${hard}`, '--pid', String(victim.pid))
        await victim.start()
      },
    }
  },
}

async function losePower(nodes: readonly ChaosNode[]): Promise<void> {
  for (const node of nodes) node.disk!.cutPower()
  await Promise.all(nodes.map((node) => node.kill()))
}

async function powerOn(nodes: readonly ChaosNode[]): Promise<void> {
  for (const { disk } of nodes) {
    await eventually(() => {
      disk!.unmount()
      return true
    }, { what: 'the disk is let go', withinMs: 10_000 })
    disk!.mount()
  }
  await startAll(nodes)
}

/** It may have ended by itself, which is the right thing to do after a failed write. */
async function restart(node: ChaosNode): Promise<void> {
  await node.kill()
  await node.start()
}

function flipBit({ nodeId, dataDirectory }: ChaosNode, topic: string, random: Random): Rot | null {
  const home = dataDirectory!
  const files = readdirSync(home).filter((name) => name.startsWith(`${topic}-`)).flatMap((folder) =>
    readdirSync(join(home, folder)).filter((name) => /\.(log|index|timeindex)$/.test(name)).map((name) => join(folder, name)))
  const filled = files.filter((name) => statSync(join(home, name)).size > 0)
  const logs = filled.filter((name) => name.endsWith('.log'))
  const candidates = random.below(3) === 0 ? filled : logs
  if (candidates.length === 0) return null
  const file = candidates[random.below(candidates.length)]!
  return { nodeId, file, ...flipBitIn(join(home, file), random) }
}
