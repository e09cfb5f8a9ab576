/** The segments of a log as a start finds them, and new ones where there is nothing to go on with. */
import { parseSegmentFile } from '../../files/log-directory-names.ts'
import { SegmentList } from '../segment/segment-list.ts'
import type { Segment } from '../segment/segment.ts'
import type { LoadPorts, NewLogOptions } from './load-options.ts'

/** `names`: of the files in the directory. Null when none is a segment. */
export function findSegments(names: readonly string[], { directory, indexIntervalBytes }: NewLogOptions, ports: LoadPorts): SegmentList | null {
  const logs = names.map((name) => ({ name, file: parseSegmentFile(name) })).filter(({ file }) => file?.suffix === '.log' && file.state === '')
  const segments = logs.map(({ name, file }) => {
    const sizeBytes = ports.fs.sizeBytes(`${directory}/${name}`)
    return ports.segment({ directory, baseOffset: file!.offset, sizeBytes, indexIntervalBytes })
  })
  return segments.length === 0 ? null : new SegmentList(segments.toSorted((a, b) => a.baseOffset - b.baseOffset))
}

/** Empty, with its file. */
export function createSegment(baseOffset: number, { directory, indexIntervalBytes }: NewLogOptions, ports: LoadPorts): Segment {
  const segment = ports.segment({ directory, baseOffset, sizeBytes: 0, indexIntervalBytes })
  segment.create()
  return segment
}

/** Removes all that there is, newest first on the disk too (after a crash the log must end somewhere, not have a hole), and begins at `offset`. */
export function startAgainAt(offset: number, segments: SegmentList, options: NewLogOptions, ports: LoadPorts): void {
  const { fs } = ports
  for (const segment of segments.all.toReversed()) {
    for (const path of segment.markDeleted()) fs.removeFile(path)
    fs.syncDirectory(options.directory)
  }
  segments.replaceAll(createSegment(offset, options, ports))
}
