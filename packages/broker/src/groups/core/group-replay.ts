import { DecodeError } from '@kavka/protocol'
import type { ReplayedMarker, ReplayedRecord } from '../../coordinators/coordinator-core.ts'
import { decodeGroupValue, decodeOffsetValue, decodeRecordKey } from './group-records.ts'
import type { GroupTable } from './group-table.ts'

/** Turns the records of `__consumer_offsets` back into groups and offsets, in log order. */
export class GroupReplay {
  readonly #table: GroupTable
  /** Of no known form: left out, so that one bad record does not take a partition's groups away. */
  unreadableRecords = 0

  constructor(table: GroupTable) {
    this.#table = table
  }

  record(record: ReplayedRecord): void {
    try {
      this.#apply(record)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.unreadableRecords++
    }
  }

  marker({ producerId, result }: ReplayedMarker): void {
    this.#table.endTransaction(producerId, result)
  }

  #apply(record: ReplayedRecord): void {
    const key = decodeRecordKey(record.key)
    switch (key.kind) {
      case 'offset':
        this.#applyOffset(record, key.groupId, key.topic, key.partition)
        return
      case 'group':
        if (record.value === null) this.#table.erase(key.groupId)
        else this.#table.restore(key.groupId, decodeGroupValue(record.value))
        return
      case 'foreign':
        if (record.value === null) this.#table.eraseForeign(key.groupId, key.part)
        else this.#table.restoreForeign(key.groupId, key.groupType, key.part)
        return
      case 'unknown':
        // Written by a newer Kafka: it stays in the log and means nothing here.
        return
    }
  }

  #applyOffset(record: ReplayedRecord, groupId: string, topic: string, partition: number): void {
    if (record.value === null) {
      this.#table.deleteOffset(groupId, topic, partition)
      return
    }
    const committed = { ...decodeOffsetValue(record.key, record.value), recordOffset: record.offset }
    if (record.producerId < 0) this.#table.putOffset(groupId, topic, partition, committed)
    else this.#table.putPendingOffset(record.producerId, { groupId, topic, partition }, committed)
  }
}
