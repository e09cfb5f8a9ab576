import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ExternalCluster } from './external-cluster.ts'

test('commands are run for the node, and a kill is a stop unless it has a command', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kavka-external-'))
  try {
    const file = join(directory, 'said')
    const commands = { startCommand: `echo start {node} >> ${file}`, stopCommand: `echo stop {node} >> ${file}`, killCommand: null }
    const [, second] = new ExternalCluster({ bootstrap: 'a:1', nodeIds: [1, 2], ...commands }).nodes
    await second!.terminate()
    expect(second!.isRunning).toBe(false)
    await second!.start()
    await second!.kill()
    expect(readFileSync(file, 'utf8')).toBe('stop 2\nstart 2\nstop 2\n')
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a command that fails ends the run with its text', async () => {
  const options = { bootstrap: 'a:1', nodeIds: [1], startCommand: 'exit 3', stopCommand: 'true', killCommand: null }
  await expect(async () => new ExternalCluster(options).nodes[0]!.start()).rejects.toThrow('exit 3: exit code 3')
})
