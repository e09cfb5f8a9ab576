/** A node of the cluster: listeners, handlers, coordinators, metrics, and how they are put together. */
export { startNode } from './start-node.ts'
export type { NodeDependencies, NodeSettings, RunningNode } from './node/node-settings.ts'
