import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '@kavka/kernel'
import type { ChaosNode } from '../cluster/chaos-cluster.ts'
import { flipBitIn } from './bit-flips.ts'
import { describeNode } from './nemesis.ts'
import type { Nemesis } from './nemesis.ts'

const METADATA_FOLDER = '__cluster_metadata-0'
/** What a node says that will not take part with rot. */
const REFUSAL = /metadata log (cannot be used|is damaged)/

/** Always the same node, as with other damage: the others are a majority that has everything. */
export const metadataRot: Nemesis = {
  name: 'metadata-rot', does: 'a bit of a stopped node\'s metadata log is wrong when it comes back: it starts as if nothing were, or refuses and is emptied', reach: 'minority',
  target: 'alone', needs: [], managedOnly: true,
  async strike(stage) {
    const victim = stage.cluster.nodes.at(-1)!
    const description = describeNode(stage, victim)
    await victim.kill()
    const folder = join(victim.dataDirectory!, METADATA_FOLDER)
    const damaged = damage(folder, stage.random)
    return { description: `bit flip in the metadata (${damaged}) of ${description}`, mayEnd: [victim.nodeId], holds: [victim.nodeId], heal: () => comeBack(victim, folder) }
  },
}

function damage(folder: string, random: Random): string {
  const files = readdirSync(folder).filter((name) => /^(\d+\.(log|ldb)|MANIFEST-\d+|CURRENT)$/.test(name) && statSync(join(folder, name)).size > 0)
  const logs = files.filter((name) => name.endsWith('.log'))
  const candidates = logs.length > 0 && random.below(2) === 0 ? logs : files
  const name = candidates[random.below(candidates.length)]!
  return `${name} at byte ${flipBitIn(join(folder, name), random).at}`
}

/** As an operator would who reads why it does not start. */
async function comeBack(node: ChaosNode, folder: string): Promise<void> {
  try {
    await node.start()
  } catch (error) {
    if (!REFUSAL.test(String(error))) throw error
    rmSync(folder, { recursive: true })
    await node.start()
  }
}
