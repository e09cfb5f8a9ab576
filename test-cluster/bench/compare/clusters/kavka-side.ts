import { existsSync } from 'node:fs'
import { ProcessCluster } from '../../../process/process-cluster.ts'
import type { ComparedCluster } from './compared-cluster.ts'
import type { SideOptions } from './kafka-side.ts'

/** Kavka as `npm start` would start it: the built command. */
export async function kavka(options: SideOptions): Promise<ComparedCluster> {
  const cluster = await ProcessCluster.create(options)
  return {
    side: 'kavka', bootstrap: cluster.bootstrap, nodeIds: cluster.nodes.map(({ nodeId }) => nodeId),
    launch: (nodeId) => cluster.node(nodeId).launch(),
    end: (nodeId, signal) => cluster.node(nodeId).signal(signal),
    isRunning: (nodeId) => cluster.node(nodeId).isRunning,
    pid: (nodeId) => {
      const node = cluster.node(nodeId)
      if (!node.isRunning) throw new Error(`Kavka's node ${nodeId} does not run:\n${node.log().slice(-3000)}`)
      return node.pid
    },
    dataDirectory: (nodeId) => cluster.dataDirectory(nodeId),
    log: (nodeId) => (existsSync(cluster.node(nodeId).logFile) ? cluster.node(nodeId).log() : ''),
    dispose: () => cluster.dispose(),
  }
}
