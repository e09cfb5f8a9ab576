import { batchesIn, batchBaseOffset, batchLastOffset, recordsOf, verifyBatchCrc } from '@kavka/protocol'
import type { ClusterClient } from '../client/cluster-client.ts'
import { eventually } from '../process/eventually.ts'

export interface ReadRecord {
  readonly offset: number
  readonly value: string
}

/** Reads a partition from its start to its high watermark as a fresh consumer would; checks checksums and that offsets are dense. */
export async function readPartition(client: ClusterClient, topic: string, partition: number): Promise<readonly ReadRecord[]> {
  const end = await client.listOffset(topic, partition, -1)
  const records: ReadRecord[] = []
  let position = 0
  while (position < end) {
    const { bytes } = await eventually(async () => {
      const answer = await client.fetch(topic, partition, position)
      return 'error' in answer || answer.records.length === 0 ? null : { bytes: answer.records }
    }, { what: `${topic}-${partition} can be read at ${position}` })
    for (const step of batchesIn(bytes)) {
      if (step.kind !== 'complete') break
      if (!verifyBatchCrc(bytes, step.at)) throw new Error(`${topic}-${partition}: bad checksum at offset ${batchBaseOffset(bytes, step.at)}`)
      if (batchBaseOffset(bytes, step.at) !== position) throw new Error(`${topic}-${partition}: expected offset ${position}, found ${batchBaseOffset(bytes, step.at)}`)
      const decoded = recordsOf(bytes, step.at)
      if (!decoded.ok) throw new Error(`${topic}-${partition}: ${JSON.stringify(decoded.error)}`)
      for (const record of decoded.value) records.push({ offset: record.offset, value: record.value?.toString() ?? '' })
      position = batchLastOffset(bytes, step.at) + 1
    }
  }
  return records
}
