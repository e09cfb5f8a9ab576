const BEGIN = '<!-- comparison: begin (written by npm run bench:compare -- --report) -->'
const END = '<!-- comparison: end -->'

/** The document with its comparison replaced; throws when it has no place for one. */
export function withComparison(document: string, comparison: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`the document has no lines "${BEGIN}" and "${END}"`)
  return `${document.slice(0, begin + BEGIN.length)}\n\n${comparison}\n\n${document.slice(end)}`
}
