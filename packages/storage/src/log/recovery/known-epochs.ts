/** Where the leader epochs of a log start, as its file says; where there is none that can be read, as the batches say. */
import { parseLeaderEpochs } from '../../files/checkpoint-text.ts'
import { readFileIfThere } from '../../files/read-file-if-there.ts'
import { walkBatches } from '../batches/walk-batches.ts'
import { LEADER_EPOCH_FILE } from '../epochs/leader-epoch-file.ts'
import { LeaderEpochs } from '../epochs/leader-epochs.ts'
import { noteEpoch } from '../epochs/missing-epochs.ts'
import type { SegmentList } from '../segment/segment-list.ts'
import type { LoadOptions, LoadPorts } from './load-options.ts'

export interface KnownEpochs {
  readonly epochs: LeaderEpochs
  /** Of the file; empty when there is none. */
  readonly text: string
}

export function loadEpochs(segments: SegmentList, { directory }: LoadOptions, ports: LoadPorts): KnownEpochs {
  const path = `${directory}/${LEADER_EPOCH_FILE}`
  const text = readFileIfThere(ports.fs, path)?.toString('utf8') ?? null
  const parsed = text === null ? null : parseLeaderEpochs(text)
  if (parsed?.ok === true) return { epochs: new LeaderEpochs(parsed.value), text: text! }
  const epochs = new LeaderEpochs()
  if (segments.sizeBytes > 0) {
    ports.logger.warn({ path }, `Rebuilding leader epochs from the log: ${parsed === null ? 'the file is missing' : parsed.error}`)
    noteAll(epochs, segments, ports)
  }
  return { epochs, text: text ?? '' }
}

function noteAll(epochs: LeaderEpochs, segments: SegmentList, { files }: LoadPorts): void {
  for (const segment of segments.all) {
    walkBatches(files.file(segment.logPath), { start: 0, end: segment.sizeBytes }, (batch) => {
      noteEpoch(epochs, batch)
      return null
    })
  }
}
