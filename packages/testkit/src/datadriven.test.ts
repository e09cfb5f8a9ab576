import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { evaluateScript, runScript } from './datadriven.ts'
import type { ScriptCommand } from './datadriven.ts'

function echo(command: ScriptCommand): string {
  if (command.name === 'lines') return command.input
  if (command.name === 'sum') return String(command.number('a') + command.number('b', 0))
  return [command.positional.join(' '), ...[...command.options].map(([key, values]) => `${key}: ${values.join('|')}`)].join('\n')
}

test('a script that holds is unchanged and has no differences', () => {
  const script = '# prose\n\necho one two a=1 b=(2, 3)\n----\none two\na: 1\nb: 2|3\n\nsum a=2 b=3\n----\n5\n'
  expect(evaluateScript(script, 's', echo)).toEqual({ output: script, differences: [] })
})

test('output with blank lines stands between doubled rules', () => {
  const script = 'lines\na\n\nb\n----\n----\na\n\nb\n----\n----\n\nsum a=1\n----\n1\n'
  expect(evaluateScript(script, 's', echo)).toEqual({ output: script, differences: [] })
  const single = 'lines\na\n\nb\n----\n\nsum a=1\n----\n1\n'
  expect(evaluateScript(single, 's', echo).output).toBe(script)
})

test('empty output is a bare rule', () => {
  const script = 'lines\n----\n\nlines\n----\n'
  expect(evaluateScript(script, 's', echo)).toEqual({ output: script, differences: [] })
})

test('a difference names file and line and shows both sides', () => {
  const { differences, output } = evaluateScript('\nsum a=2 b=2\n----\n5\n', 'math.txt', echo)
  expect(differences).toEqual(['math.txt:2: sum a=2 b=2\nexpected:\n5\nactual:\n4'])
  expect(output).toBe('\nsum a=2 b=2\n----\n4\n')
})

test('a command without a rule and a missing number are errors', () => {
  expect(() => evaluateScript('sum a=1\n', 's', echo)).toThrow('s:1: command without a rule')
  expect(() => evaluateScript('sum b=1\n----\n', 's', echo)).toThrow('s:1: a must be a number')
  expect(() => evaluateScript('lines\n----\n----\nx\n', 's', echo)).toThrow('never closed')
})

test('runScript throws on a difference and rewrites when told to', () => {
  const directory = mkdtempSync(join(tmpdir(), 'datadriven-'))
  const path = join(directory, 'script.txt')
  const rewrite = process.env['REWRITE']
  try {
    writeFileSync(path, 'sum a=1 b=1\n----\n3\n')
    delete process.env['REWRITE']
    expect(() => runScript(path, echo)).toThrow('expected:\n3\nactual:\n2')
    process.env['REWRITE'] = '1'
    runScript(path, echo)
    expect(readFileSync(path, 'utf8')).toBe('sum a=1 b=1\n----\n2\n')
  } finally {
    if (rewrite === undefined) delete process.env['REWRITE']
    else process.env['REWRITE'] = rewrite
    rmSync(directory, { recursive: true })
  }
})
