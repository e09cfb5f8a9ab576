/** What a healthy process never writes to its log. */
const ALARMS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['a failed assertion', /assertion (failed|violated)|AssertionError/i],
  ['an unhandled rejection', /unhandled ?rejection/i],
  ['an uncaught exception', /uncaught ?exception|^(Type|Range|Reference|Syntax)Error: /im],
  ['V8 out of memory', /FATAL ERROR: .*heap|JavaScript heap out of memory/i],
  ['a native crash', /Segmentation fault|core dumped/i],
]

/** K-CLEAN for one node: lines of its log that tell of a bug. */
export function alarmsIn(log: string): string[] {
  return log.split('\n').flatMap((line) => {
    const alarm = ALARMS.find(([, pattern]) => pattern.test(line))
    return alarm === undefined ? [] : [`${alarm[0]}: ${line.slice(0, 300)}`]
  })
}
