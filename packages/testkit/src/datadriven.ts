/**
 * Runs command scripts: a text file of commands with the output each must give, after the format of cockroachdb/datadriven
 * that etcd's Raft tests use. One directive:
 *
 *     # comment
 *     command positional key=value key=(several, values)
 *     input lines, optional
 *     ----
 *     expected output
 *
 * The output ends at the first blank line. Output that itself has blank lines stands between doubled rules (`----` twice
 * before, `----` twice after). `REWRITE=1` writes what came out into the file: read the diff before you commit it.
 */
import { readFileSync, writeFileSync } from 'node:fs'

export interface ScriptCommand {
  readonly name: string
  /** Words without `=`, in order. */
  readonly positional: readonly string[]
  /** `key=value` words; `key=(a, b)` gives several values. */
  readonly options: ReadonlyMap<string, readonly string[]>
  /** The lines between the command and the rule, joined by line feeds; empty when there are none. */
  readonly input: string
  readonly line: number
  /** The first value of an option, or null. */
  option(key: string): string | null
  /** The first value of an option as a number; throws when it is missing and there is no fallback, or not a number. */
  number(key: string, fallback?: number): number
}

/** Runs every command of the script through `handle` and compares its output; throws an error that lists all differences. */
export function runScript(path: string, handle: (command: ScriptCommand) => string): void {
  const text = readFileSync(path, 'utf8')
  const { output, differences } = evaluateScript(text, path, handle)
  if (process.env['REWRITE'] === '1') {
    if (output !== text) writeFileSync(path, output)
    return
  }
  if (differences.length > 0) throw new Error(differences.join('\n\n'))
}

/** The work of `runScript` without the disk: the script as it would be rewritten, and what differs from it. */
export function evaluateScript(
  text: string,
  name: string,
  handle: (command: ScriptCommand) => string,
): { readonly output: string; readonly differences: readonly string[] } {
  const lines = text.split('\n')
  const output: string[] = []
  const differences: string[] = []
  let at = 0
  while (at < lines.length) {
    const line = lines[at]!
    if (line.trim() === '' || line.startsWith('#')) {
      output.push(line)
      at++
      continue
    }
    const directive = readDirective(lines, at, name)
    const actual = handle(parseCommand(directive, name)).replace(/\n+$/, '')
    if (actual !== directive.expected) {
      differences.push(`${name}:${at + 1}: ${line}\nexpected:\n${directive.expected}\nactual:\n${actual}`)
    }
    output.push(...lines.slice(at, directive.ruleAt), ...renderExpected(actual))
    at = directive.next
  }
  return { output: output.join('\n'), differences }
}

interface Directive {
  readonly command: string
  readonly input: string
  readonly expected: string
  readonly line: number
  readonly ruleAt: number
  readonly next: number
}

const RULE = '----'

function readDirective(lines: readonly string[], start: number, name: string): Directive {
  let ruleAt = start + 1
  while (ruleAt < lines.length && lines[ruleAt] !== RULE) ruleAt++
  if (ruleAt === lines.length) throw new Error(`${name}:${start + 1}: command without a rule (${RULE})`)
  const doubled = lines[ruleAt + 1] === RULE
  const first = doubled ? ruleAt + 2 : ruleAt + 1
  const end = doubled ? findDoubledRule(lines, first, name) : findBlank(lines, first)
  return {
    command: lines[start]!,
    input: lines.slice(start + 1, ruleAt).join('\n'),
    expected: lines.slice(first, end).join('\n'),
    line: start + 1,
    ruleAt,
    next: doubled ? end + 2 : end,
  }
}

function findBlank(lines: readonly string[], from: number): number {
  let at = from
  while (at < lines.length && lines[at]!.trim() !== '') at++
  return at
}

function findDoubledRule(lines: readonly string[], from: number, name: string): number {
  for (let at = from; at + 1 < lines.length; at++) {
    if (lines[at] === RULE && lines[at + 1] === RULE) return at
  }
  throw new Error(`${name}:${from}: doubled rule is never closed`)
}

function renderExpected(actual: string): string[] {
  if (actual === '') return [RULE]
  if (!/\n\s*\n/.test(actual) && !actual.startsWith('\n')) return [RULE, ...actual.split('\n')]
  return [RULE, RULE, ...actual.split('\n'), RULE, RULE]
}

function parseCommand(directive: Directive, name: string): ScriptCommand {
  const words = directive.command.match(/[^\s=]+=\([^)]*\)|\S+/g) ?? []
  const positional: string[] = []
  const options = new Map<string, readonly string[]>()
  for (const word of words.slice(1)) {
    const equals = word.indexOf('=')
    if (equals === -1) positional.push(word)
    else options.set(word.slice(0, equals), parseValues(word.slice(equals + 1)))
  }
  const option = (key: string): string | null => options.get(key)?.[0] ?? null
  return {
    name: words[0]!,
    positional,
    options,
    input: directive.input,
    line: directive.line,
    option,
    number: (key, fallback) => {
      const text = option(key)
      if (text === null && fallback !== undefined) return fallback
      const value = text === null ? NaN : Number(text)
      if (Number.isNaN(value)) throw new Error(`${name}:${directive.line}: ${key} must be a number`)
      return value
    },
  }
}

function parseValues(text: string): readonly string[] {
  if (!text.startsWith('(')) return [text]
  return text
    .slice(1, -1)
    .split(/[\s,]+/)
    .filter((value) => value !== '')
}
