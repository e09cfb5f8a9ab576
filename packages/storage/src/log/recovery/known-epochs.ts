/** Where the leader epochs of a log start, as its file says. */
import { parseLeaderEpochs } from '../../files/checkpoint-text.ts'
import { readFileIfThere } from '../../files/read-file-if-there.ts'
import { LEADER_EPOCH_FILE } from '../epochs/leader-epoch-file.ts'
import { LeaderEpochs } from '../epochs/leader-epochs.ts'
import type { LoadOptions, LoadPorts } from './load-options.ts'

export interface KnownEpochs {
  /** Empty where there is no file that can be read: what is known of none is found among the batches (`withEpochsFrom`). */
  readonly epochs: LeaderEpochs
  /** Of the file; empty when there is none. */
  readonly text: string
}

export function loadEpochs({ directory, shutdown }: LoadOptions, { fs, logger }: LoadPorts): KnownEpochs {
  const path = `${directory}/${LEADER_EPOCH_FILE}`
  const text = readFileIfThere(fs, path)?.toString('utf8') ?? null
  // A log that was killed young has none yet.
  if (text === null && shutdown === 'clean') logger.warn({ path }, 'Rebuilding leader epochs from the log: the file is missing')
  if (text === null) return { epochs: new LeaderEpochs(), text: '' }
  const parsed = parseLeaderEpochs(text)
  if (!parsed.ok) logger.warn({ path }, `Rebuilding leader epochs from the log: ${parsed.error}`)
  return { epochs: new LeaderEpochs(parsed.ok ? parsed.value : []), text }
}
