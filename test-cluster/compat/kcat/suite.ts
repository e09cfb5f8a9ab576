import { runCommand } from '../../foreign/kafka-tools.ts'
import { ensureDebianPackages } from '../debian.ts'
import { freshName, same, succeeded } from '../check.ts'
import type { CompatSuite } from '../check.ts'

const records = Array.from({ length: 100 }, (_, index) => `key-${index}:value-${index}`)

/** kcat from Debian: librdkafka. */
export const kcatSuite: CompatSuite = {
  name: 'kcat (librdkafka)',
  pace: 'quick',
  install: () => Promise.resolve(ensureDebianPackages(['kcat'], ['kcat', '-V'])),
  checks: [
    {
      name: 'lists the brokers',
      run: async (bootstrap) => {
        const output = succeeded(await runCommand('kcat', ['-b', bootstrap, '-L']))
        for (const address of bootstrap.split(',')) if (!output.includes(`at ${address}`)) throw new Error(output)
      },
    },
    ...(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const).map((codec) => ({
      name: `produces with keys and reads back, ${codec}`,
      run: async (bootstrap: string) => {
        const topic = freshName('kcat')
        await produce(bootstrap, topic, ['-z', codec])
        same((await consume(bootstrap, topic)).toSorted(), records.toSorted(), 'what was read')
      },
    })),
    {
      name: 'produces idempotently',
      run: async (bootstrap) => {
        const topic = freshName('kcat')
        await produce(bootstrap, topic, ['-X', 'enable.idempotence=true', '-X', 'acks=all'])
        same((await consume(bootstrap, topic)).length, records.length, 'records')
      },
    },
    {
      name: 'reads in a consumer group',
      run: async (bootstrap) => {
        const topic = freshName('kcat')
        await produce(bootstrap, topic, [])
        const read = await runCommand('kcat', ['-b', bootstrap, '-G', freshName('group'), topic, '-c', '100', '-K', ':', '-X', 'auto.offset.reset=earliest', '-q'], '', 60_000)
        same(succeeded(read).trim().split('\n').length, 100, 'records')
      },
    },
    {
      name: 'looks offsets up by time',
      run: async (bootstrap) => {
        const topic = freshName('kcat')
        await produce(bootstrap, topic, [])
        const output = succeeded(await runCommand('kcat', ['-b', bootstrap, '-Q', '-t', `${topic}:0:1`]))
        if (!/offset 0/.test(output)) throw new Error(output)
      },
    },
  ],
}

async function produce(bootstrap: string, topic: string, args: readonly string[]): Promise<void> {
  succeeded(await runCommand('kcat', ['-b', bootstrap, '-P', '-t', topic, '-K', ':', ...args], `${records.join('\n')}\n`))
}

async function consume(bootstrap: string, topic: string): Promise<string[]> {
  const read = await runCommand('kcat', ['-b', bootstrap, '-C', '-t', topic, '-e', '-q', '-K', ':'])
  return succeeded(read).trim().split('\n')
}
