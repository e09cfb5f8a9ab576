import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { runScript } from '@kavka/testkit'
import { GroupScript } from './testing/group-script.ts'

const directory = join(__dirname, 'testdata')

describe('flows of the classic protocol', () => {
  const scripts = readdirSync(directory).filter((name) => name.endsWith('.txt'))
  test('there are scripts', () => expect(scripts.length).toBeGreaterThan(5))
  test.each(scripts)('%s', (name) => {
    const script = new GroupScript()
    runScript(join(directory, name), (command) => script.run(command))
  })
})
