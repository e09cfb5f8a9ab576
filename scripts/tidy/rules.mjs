// The rules of the tree that no linter knows. Each takes a source file and returns what is wrong, as sentences.
import { layers, testImports } from './layers.mjs'

const importPattern = /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s+'([^']+)'|import\('([^']+)'\)|(?:^|\n)\s*import\s+'([^']+)'/g

/** Imports obey the layering: known packages, through their index, never across by path. */
export function checkLayers({ path, text }) {
  const owner = /^packages\/([^/]+)\/src\//.exec(path)?.[1]
  if (owner === undefined) return []
  const layer = layers[owner]
  if (layer === undefined) return [`package ${owner} has no row in scripts/tidy/layers.mjs`]
  const isTest = path.endsWith('.test.ts') || /\/(testing|golden)\//.test(path)
  const packages = isTest ? [...layer.packages, ...testImports.packages, owner] : layer.packages
  const outside = isTest ? [...layer.outside, ...testImports.outside] : layer.outside
  return [...text.matchAll(importPattern)]
    .map((match) => match[1] ?? match[2] ?? match[3])
    .flatMap((target) => problemsOfImport(target, path, owner, packages, outside, isTest))
}

function problemsOfImport(target, path, owner, packages, outside, isTest) {
  if (target.startsWith('node:')) return []
  if (target.startsWith('.')) {
    const depth = path.split('/').length - 3
    const ups = target.split('/').filter((part) => part === '..').length
    if (ups >= depth) return [`imports '${target}', outside its own src/`]
    return target.endsWith('.ts') || target.endsWith('.json') ? [] : [`imports '${target}' without its .ts ending`]
  }
  if (target.startsWith('@kavka/')) {
    const [name, ...deep] = target.slice('@kavka/'.length).split('/')
    if (deep.length > 0) return [`imports '${target}': only the index of a package may be imported`]
    return packages.includes(name) ? [] : [`imports @kavka/${name}: ${owner} may import ${packages.join(', ') || 'nothing'}`]
  }
  const name = target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : target.split('/')[0]
  return outside.includes(name) || isTest ? [] : [`imports '${target}', which is not a library of ${owner}`]
}

/** Names say what is inside. */
export function checkNames({ path }) {
  const name = path.split('/').at(-1)
  const problems = []
  if (/(^|\/)(utils?|helpers?|common|misc)(\.ts|\.mjs|\/)/.test(path)) problems.push('a file named after nothing in particular')
  if (/\.(ts|mjs)$/.test(name) && !/^[a-z0-9]+([-.][a-z0-9]+)*\.(ts|mjs)$/.test(name)) problems.push('file names are kebab-case')
  return problems
}

/** Time and style habits that the linter cannot express. */
export function checkHabits({ path, text }) {
  const problems = []
  const isProduct = path.startsWith('packages/') && !path.endsWith('.test.ts') && !path.includes('/testkit/')
  if (isProduct && !/\/system-/.test(path) && /\bnew Date\(\)/.test(text)) problems.push('reads the clock: take it from the Scheduler')
  if (/\b(TODO|FIXME|XXX)\b/.test(text) && !path.startsWith('scripts/tidy/')) problems.push('carries a note of unfinished work')
  if (path.endsWith('.ts') && /^(export )?(const )?enum /m.test(text)) problems.push('declares an enum')
  if (/\b(test|it|describe)\.(skip|only|todo)\b/.test(text) && path.endsWith('.test.ts')) problems.push('skips tests')
  const wide = text.split('\n').findIndex((line) => line.length > 160 && !/['"`]/.test(line))
  if (wide >= 0) problems.push(`line ${wide + 1} is wider than 160 columns`)
  return problems
}

/** Every package explains itself and every handler opens with its comment. */
export function checkHeaders({ path, text }) {
  if (!/^packages\/broker\/src\/handlers\/([a-z-]+\/)?[a-z-]+\.ts$/.test(path)) return []
  if (path.endsWith('.test.ts') || /\/(handler|index)\.ts$/.test(path)) return []
  return text.startsWith('/**') ? [] : ['a handler opens with a comment: what it does, its versions, what it does not do']
}
