/** The scripts in testdata: what the core says and writes, step by step. `REWRITE=1` writes what came out. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { runScript } from '@kavka/testkit'
import { ScriptCluster } from './testing/script-cluster.ts'

const directory = join(__dirname, 'testdata')

test.each(readdirSync(directory))('%s', (name) => {
  const cluster = new ScriptCluster()
  runScript(join(directory, name), (command) => cluster.run(command))
})
