import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

test('the generated codecs are those of the .proto files', () => {
  expect(() => execFileSync(process.execPath, [join(__dirname, '../../../scripts/gen-proto.mjs'), '--check'])).not.toThrow()
})
