/** `leader-epoch-checkpoint` of one log: a recovery believes it below the recovery point, so it is always replaced durably. */
import type { FileSystem } from '@kavka/kernel'
import { formatLeaderEpochs } from '../../files/checkpoint-text.ts'
import { ReplacedFile } from '../../files/replaced-file.ts'
import type { EpochStart } from './leader-epochs.ts'

export const LEADER_EPOCH_FILE = 'leader-epoch-checkpoint'

export class LeaderEpochFile {
  readonly #fs: FileSystem
  readonly #directory: string
  /** Made with the first write: most logs of a node do not write theirs for days. */
  #file: ReplacedFile | null = null

  constructor(directory: string, dependencies: { readonly fs: FileSystem }) {
    this.#directory = directory
    this.#fs = dependencies.fs
  }

  /** On the disk when it returns. */
  write(entries: readonly EpochStart[]): void {
    this.#replaced.replace(formatLeaderEpochs(entries))
  }

  /** Off the event loop; on the disk when it resolves. */
  writeInBackground(entries: readonly EpochStart[]): Promise<void> {
    return this.#replaced.replaceInBackground(formatLeaderEpochs(entries))
  }

  /** At a clean close: as `writeInBackground`, unless the file says so already. Losing an empty one loses nothing. */
  async complete(entries: readonly EpochStart[]): Promise<void> {
    const text = formatLeaderEpochs(entries)
    const { path } = this.#replaced
    if (this.#fs.exists(path) && this.#fs.readFile(path).toString('utf8') === text) return
    if (entries.length === 0 && !this.#fs.exists(path)) this.#fs.writeFile(path, text)
    else await this.#replaced.replaceInBackground(text)
  }

  get #replaced(): ReplacedFile {
    this.#file ??= new ReplacedFile(`${this.#directory}/${LEADER_EPOCH_FILE}`, { fs: this.#fs })
    return this.#file
  }
}
