import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

test('the committed codecs are what the generator makes of the schemas', () => {
  const script = join(__dirname, '..', '..', '..', 'scripts', 'gen.mjs')
  expect(() => execFileSync(process.execPath, [script, '--check'], { stdio: 'pipe' })).not.toThrow()
})
