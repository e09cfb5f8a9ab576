import type { Command } from 'commander'
import { readNodeSettings } from '../node/node-settings.ts'
import { runNode } from '../node/run-node.ts'

/** `kavka server FILE`: one node in the foreground until it is told to stop. */
export function addServerCommand(program: Command): void {
  program
    .command('server')
    .argument('[file]', 'server.properties; KAFKA_* variables override it')
    .option('--override <key=value...>', 'set a property over the file and the environment', [])
    .description('run one node in the foreground')
    .action(async (file: string | undefined, options: { override: string[] }) => {
      const settings = readNodeSettings({ file: file ?? null, environment: process.env, overrides: options.override })
      await runNode(settings)
    })
}
