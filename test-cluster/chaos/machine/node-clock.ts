import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where Debian, Fedora and Alpine put it. */
const ROOTS = ['/usr/lib', '/usr/lib64', '/usr/local/lib']

export function faketimeLibrary(): string | null {
  for (const root of ROOTS.filter((one) => existsSync(one))) {
    for (const folder of ['', ...readdirSync(root)]) {
      const candidate = join(root, folder, 'faketime', 'libfaketimeMT.so.1')
      if (existsSync(candidate)) return candidate
    }
  }
  return null
}

/** The wall clock of one node, which can be set while it runs; its monotonic clock stays true. */
export class NodeClock {
  readonly #file: string
  readonly #library: string

  constructor(options: { readonly file: string; readonly library: string }) {
    this.#file = options.file
    this.#library = options.library
    this.shift(0)
  }

  /** Seconds that the node's clock is ahead. */
  shift(seconds: number): void {
    writeFileSync(this.#file, `${seconds < 0 ? '' : '+'}${seconds}\n`)
  }

  environment(): Record<string, string> {
    return {
      LD_PRELOAD: this.#library, FAKETIME_TIMESTAMP_FILE: this.#file, FAKETIME_CACHE_DURATION: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
  }
}
