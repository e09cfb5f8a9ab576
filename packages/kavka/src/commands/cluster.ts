import type { Command } from 'commander'
import { runCluster } from '../cluster/run-cluster.ts'

/** `kavka cluster FOLDER`: a process for each properties file of a folder, until Ctrl-C stops them all. */
export function addClusterCommand(program: Command): void {
  program
    .command('cluster')
    .argument('<folder>', 'folder with a .properties file for each node')
    .description('run several nodes on this machine, a process each')
    .action((folder: string) => runCluster(folder))
}
