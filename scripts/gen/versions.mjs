/** Version ranges of the schema notation: `3`, `2-7`, `4+`, `none`. */

const OPEN_END = 32767

export function parseVersions(text) {
  if (text === 'none') return null
  const match = /^(\d+)(?:-(\d+)|(\+))?$/.exec(text)
  if (match === null) throw new Error(`not a version range: ${text}`)
  const from = Number(match[1])
  return { from, to: match[3] ? OPEN_END : Number(match[2] ?? from) }
}

export function includes(range, version) {
  return range !== null && version >= range.from && version <= range.to
}

/** Every version of a closed range. */
export function versionsOf(range) {
  return Array.from({ length: range.to - range.from + 1 }, (_, index) => range.from + index)
}

/** Runs of neighboring versions for which `of(version)` is the same text: [{from, to, value}]. */
export function pieces(versions, of) {
  const runs = []
  for (const version of versions) {
    const value = of(version)
    const last = runs.at(-1)
    if (last !== undefined && last.value === value) last.to = version
    else runs.push({ from: version, to: version, value })
  }
  return runs
}

/** A TypeScript expression that has the value of the piece in which `v` lies. */
export function piecewiseExpression(versions, of) {
  const runs = pieces(versions, of)
  const text = runs.reduceRight(
    (rest, run) => (rest === null ? run.value : `v <= ${run.to} ? ${run.value} : ${rest}`),
    null,
  )
  return { text, branches: runs.length }
}

/** Lines that run the statements of the piece in which `v` lies; an empty piece runs nothing. */
export function piecewiseStatements(versions, of) {
  const runs = pieces(versions, (version) => of(version).join('\n'))
  if (runs.length === 1) return runs[0].value === '' ? [] : runs[0].value.split('\n')
  const lines = []
  let word = 'if'
  for (const [index, run] of runs.entries()) {
    if (run.value === '') continue
    const condition = runCondition(runs, index)
    lines.push(condition === '' ? 'else {' : `${word} (${condition}) {`)
    lines.push(...run.value.split('\n').map((line) => `  ${line}`), '}')
    word = 'else if'
  }
  return joinElse(lines)
}

/**
 * Once a piece was skipped (it is empty) the chain of `else` no longer excludes it: bounds become explicit.
 */
function runCondition(runs, index) {
  const { from, to } = runs[index]
  const isLast = index === runs.length - 1
  const skippedBefore = runs.slice(0, index).some((run) => run.value === '')
  if (!skippedBefore) return isLast ? '' : `v <= ${to}`
  if (isLast) return `v >= ${from}`
  return from === to ? `v === ${from}` : `v >= ${from} && v <= ${to}`
}

function joinElse(lines) {
  const joined = []
  for (const line of lines) {
    if (line.startsWith('else') && joined.at(-1) === '}') joined[joined.length - 1] = `} ${line}`
    else joined.push(line)
  }
  return joined
}
