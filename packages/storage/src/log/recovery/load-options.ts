/** What a log is opened or made with. */
import type { FileSystem, Logger } from '@kavka/kernel'
import type { OpenFiles } from '../../files/open-files.ts'
import type { Segment, SegmentOptions } from '../segment/segment.ts'
import type { ReadAhead } from './read-ahead.ts'

export interface NewLogOptions {
  readonly directory: string
  /** For messages. */
  readonly partition: string
  readonly indexIntervalBytes: number
}

export interface LoadOptions extends NewLogOptions {
  readonly shutdown: 'clean' | 'unclean'
  /** 0 when nothing is recorded. */
  readonly recoveryPoint: number
  /** From `log-start-offset-checkpoint`; 0 when nothing is recorded. */
  readonly logStartOffset: number
}

export interface LoadPorts {
  readonly fs: FileSystem
  readonly files: OpenFiles
  readonly logger: Logger
  readonly segment: (options: SegmentOptions) => Segment
  readonly readAhead: ReadAhead
}
