import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { propertiesOfEnvironment } from '@kavka/kernel'
import { settingsOf } from '../node/node-settings.ts'
import { runNode } from '../node/run-node.ts'

interface DevOptions {
  readonly port: string
  readonly data?: string
}

/** `kavka dev`: one combined node for development, as fast as memory, gone when it stops unless `--data` is given. */
export function addDevCommand(program: Command): void {
  program
    .command('dev')
    .option('--port <port>', 'port for clients', '9092')
    .option('--data <folder>', 'keep the data here; default: a temporary folder that goes when the node stops')
    .description('run one node for development')
    .action(async (options: DevOptions) => {
      const data = options.data ?? mkdtempSync(join(tmpdir(), 'kavka-dev-'))
      const properties = new Map([...devProperties(Number(options.port), data), ...propertiesOfEnvironment(process.env)])
      try {
        await runNode(settingsOf(properties))
      } finally {
        if (options.data === undefined) rmSync(data, { recursive: true, force: true })
      }
    })
}

/** The properties of a development node: page cache instead of syncs, no waiting for more members, one replica. */
export function devProperties(port: number, dataDirectory: string): ReadonlyMap<string, string> {
  return new Map([
    ['process.roles', 'broker,controller'],
    ['node.id', '1'],
    ['controller.quorum.voters', `1@127.0.0.1:${port + 100}`],
    ['listeners', `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${port + 100}`],
    ['controller.listener.names', 'CONTROLLER'],
    ['log.dirs', dataDirectory],
    ['log.flush.interval.messages', '9223372036854775807'],
    ['offsets.topic.replication.factor', '1'],
    ['offsets.topic.num.partitions', '4'],
    ['group.initial.rebalance.delay.ms', '0'],
  ])
}
