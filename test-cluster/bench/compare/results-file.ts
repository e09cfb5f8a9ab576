/** Results as JSON lines, written while the comparison runs: what was measured stays when it ends early. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import type { Side } from './clusters/compared-cluster.ts'
import type { Machine } from './machine.ts'
import type { Figures, Sizes } from './measurement.ts'

/** The conditions, at the start of every run that writes to the file. */
export interface RunLine {
  readonly kind: 'run'
  readonly at: string
  readonly machine: Machine
  readonly sizes: Sizes
  /** What of Kavka was measured. */
  readonly commit: string
}

export interface MeasuredLine {
  readonly kind: 'measured'
  readonly at: string
  readonly round: number
  readonly side: Side
  readonly measurement: string
  readonly figures: Figures
  readonly seconds: number
  /** Load average of the machine over the last minute before the cluster was started, for others' work. */
  readonly load: number
}

export interface FailedLine {
  readonly kind: 'failed'
  readonly at: string
  readonly round: number
  readonly side: Side
  readonly measurement: string
  readonly error: string
}

export type ResultLine = RunLine | MeasuredLine | FailedLine

const FILE = 'results.jsonl'

/** The file of one comparison. */
export class ResultsFile {
  readonly path: string

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true })
    this.path = join(directory, FILE)
    this.#dropTornLine()
  }

  /** Puts away what an earlier comparison left, under the time of its end. */
  startAnew(): void {
    if (!existsSync(this.path)) return
    const endedAt = statSync(this.path).mtime.toISOString().replaceAll(/[:.]/g, '-')
    renameSync(this.path, this.path.replace(/\.jsonl$/, `-${endedAt}.jsonl`))
  }

  append(line: ResultLine): void {
    appendFileSync(this.path, `${JSON.stringify(line)}\n`)
  }

  read(): ResultLine[] {
    return existsSync(this.path) ? parseResults(readFileSync(this.path, 'utf8')) : []
  }

  /** The machine may have gone down in the middle of a line; what is appended next must not continue it. */
  #dropTornLine(): void {
    if (!existsSync(this.path)) return
    const bytes = readFileSync(this.path)
    truncateSync(this.path, bytes.lastIndexOf('\n') + 1)
  }
}

/** Damage is an error: rounds must not get lost unseen. */
export function parseResults(text: string): ResultLine[] {
  return text.split('\n').flatMap((line, index) => {
    if (line === '') return []
    try {
      return [JSON.parse(line) as ResultLine]
    } catch (error) {
      throw new Error(`line ${index + 1} of the results is damaged`, { cause: error })
    }
  })
}

/** What identifies one measurement of one side in one round. */
export function resultKey({ round, side, measurement }: Pick<MeasuredLine, 'round' | 'side' | 'measurement'>): string {
  return `${round} ${side} ${measurement}`
}
