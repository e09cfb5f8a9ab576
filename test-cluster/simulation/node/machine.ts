/** What outlives a process: the disk, the metadata store, and what the run has done to them. */
import type { Random } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import { MemoryFileSystem, MemoryKeyValueStore } from '@kavka/testkit'
import type { SwarmOptions } from '../swarm.ts'
import { DiskClock } from '../world/disk-clock.ts'
import type { World } from '../world/world.ts'
import type { SimulatedNode } from './simulated-node.ts'

export interface Machine {
  readonly id: NodeId
  readonly disk: MemoryFileSystem
  readonly diskClock: DiskClock
  readonly storeClock: DiskClock
  readonly random: Random
  store: MemoryKeyValueStore
  node: SimulatedNode | null
  incarnations: number
  wallSkewMs: number
  clockRate: number
  /** Operations on the disk until the process dies inside one. */
  crashIn: { operations: number; kind: 'kill' | 'power' } | null
  /** Behind the mark of its next clean stop it dies like that. */
  diesAtMark: 'kill' | 'power' | null
  isStopping: boolean
  /** It found its data damaged and refused to start; only a new disk helps. */
  isBroken: boolean
  /** Ends the time in which the disk says that it synced and does not. */
  stopLosing: (() => void) | null
  /** Files with sectors that are not what was written to them. */
  readonly rottenFiles: Set<string>
  /** The bit of the metadata store that was flipped. */
  storeDamage: { readonly key: string; readonly position: number; readonly bit: number } | null
  /** How long each access to the disk may take besides what it always takes. */
  slowMsMax: number
}

/** New, with nothing on it and nothing running. */
export function createMachine(id: NodeId, disk: SwarmOptions['disk'], world: World): Machine {
  const { scheduler } = world
  const random = world.random(`machine-${id}`)
  const extraDelayMs = (usualMsMax: number): number => {
    const { slowMsMax } = machine
    return usualMsMax + slowMsMax > 0 ? random.unit() * (usualMsMax + slowMsMax) : 0
  }
  const diskClock = new DiskClock({ scheduler, extraDelayMs: () => extraDelayMs(disk.syncMsMax) })
  const storeClock = new DiskClock({ scheduler, extraDelayMs: () => extraDelayMs(0) })
  const machine: Machine = {
    id, random, diskClock, storeClock,
    disk: new MemoryFileSystem({ syncDelayMs: disk.syncMs }, { scheduler: diskClock }),
    store: new MemoryKeyValueStore({ writeDelayMs: disk.storeWriteMs }, { scheduler: storeClock }),
    node: null, incarnations: 0, wallSkewMs: 0, clockRate: 1, crashIn: null, diesAtMark: null, isStopping: false, isBroken: false,
    rottenFiles: new Set(), stopLosing: null, storeDamage: null, slowMsMax: 0,
  }
  return machine
}
