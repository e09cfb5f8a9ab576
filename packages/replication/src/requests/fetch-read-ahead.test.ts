import { ErrorCode, nodeId } from '@kavka/protocol'
import type { LogReadOutcome, LogReadRequest } from '@kavka/storage'
import type { FetchParameters } from '../api.ts'
import { FetchRead } from './fetch-read.ts'
import type { Partition } from '../partition/partition.ts'

/** A log whose reads wait until the test answers them. */
class SlowLog {
  readonly logStartOffset = 0
  readonly logEndOffset = 100
  readonly reads: { readonly request: LogReadRequest; readonly answer: (sizeBytes: number) => void }[] = []
  lent = 0

  read(request: LogReadRequest): Promise<LogReadOutcome> {
    return new Promise((resolve) => {
      this.reads.push({ request, answer: (sizeBytes) => resolve(this.#outcome(request, sizeBytes)) })
    })
  }

  #outcome(request: LogReadRequest, sizeBytes: number): LogReadOutcome {
    this.lent++
    const memory = { giveBack: () => void this.lent-- }
    const nextOffset = sizeBytes === 0 ? request.startOffset : request.endOffsetMax
    return { kind: 'read', records: sizeBytes === 0 ? [] : [Buffer.alloc(sizeBytes)], sizeBytes, nextOffset, memory }
  }
}

function partitionOf(log: SlowLog): Partition {
  const partition = {
    log, role: 'leader', current: { kind: 'leader' }, leaderEpoch: 3, highWatermark: 50, visibleEnd: () => 50,
    currentLeader: { leaderId: nodeId(1), leaderEpoch: 3 },
  }
  return partition as unknown as Partition
}

function fetching(limits: { readonly count: number; readonly bytesMax: number; readonly partitionBytesMax: number }) {
  const logs = Array.from({ length: limits.count }, () => new SlowLog())
  const hosted = new Map(logs.map((log, index) => [index, partitionOf(log)]))
  const parameters: FetchParameters = {
    isolation: 'read_uncommitted', followerReads: 'refused', rack: '', clientId: '', bytesMin: 1, bytesMax: limits.bytesMax, waitMsMax: 0,
    partitions: logs.map((_, partition) => ({
      topicPartition: { topic: 't', partition }, topicId: null, fetchOffset: 10, bytesMax: limits.partitionBytesMax,
      currentLeaderEpoch: -1, lastFetchedEpoch: -1,
    })),
  }
  const read = new FetchRead(parameters, 1_000_000, {
    directory: { find: ({ partition }) => hosted.get(partition) ?? null, leaderOf: () => ({ leaderId: nodeId(2), leaderEpoch: 4 as never }) },
    preferredReadReplica: () => null,
  })
  return { logs, hosted, read, done: read.run() }
}

const turn = () => new Promise<void>((resolve) => {
  setImmediate(resolve)
})

test('the next three files are read while the first is, and the answer keeps the order', async () => {
  const { logs, read, done } = fetching({ count: 6, bytesMax: 6_000, partitionBytesMax: 1_000 })
  expect(logs.map(({ reads }) => reads.length)).toEqual([1, 1, 1, 1, 0, 0])
  logs[3]!.reads[0]!.answer(400)
  logs[1]!.reads[0]!.answer(200)
  await turn()
  expect(read.results).toHaveLength(0)
  logs[0]!.reads[0]!.answer(100)
  await turn()
  expect(logs.map(({ reads }) => reads.length)).toEqual([1, 1, 1, 1, 1, 1])
  for (const index of [2, 4, 5]) logs[index]!.reads[0]!.answer(100 * (index + 1))
  await done
  expect(read.results.map(({ recordsSizeBytes }) => recordsSizeBytes)).toEqual([100, 200, 300, 400, 500, 600])
  expect(logs.map(({ lent }) => lent)).toEqual([1, 1, 1, 1, 1, 1])
})

test('nothing is read ahead that the limit of the request may cut', () => {
  const { logs } = fetching({ count: 4, bytesMax: 2_500, partitionBytesMax: 1_000 })
  expect(logs.map(({ reads }) => reads.length)).toEqual([1, 1, 0, 0])
})

test('where nothing came before, the first batch comes whole: read again', async () => {
  const { logs, read, done } = fetching({ count: 2, bytesMax: 2_000, partitionBytesMax: 1_000 })
  logs[0]!.reads[0]!.answer(0)
  logs[1]!.reads[0]!.answer(0)
  await turn()
  expect(logs[1]!.reads.map(({ request }) => request.minimum)).toEqual(['none', 'at-least-one-batch'])
  logs[1]!.reads[1]!.answer(5_000)
  await done
  expect(read.results.map(({ recordsSizeBytes }) => recordsSizeBytes)).toEqual([0, 5_000])
  expect(logs[1]!.lent).toBe(1)
})

test('a first batch beyond the limits leaves no room for what was read ahead, whose memory is given back', async () => {
  const { logs, read, done } = fetching({ count: 2, bytesMax: 2_000, partitionBytesMax: 1_000 })
  logs[1]!.reads[0]!.answer(800)
  logs[0]!.reads[0]!.answer(5_000)
  await done
  expect(read.results.map(({ recordsSizeBytes }) => recordsSizeBytes)).toEqual([5_000, 0])
  expect(logs.map(({ lent }) => lent)).toEqual([1, 0])
})

test('a replica that is gone by its turn is refused, whatever was read of it, and the memory is given back', async () => {
  const { logs, hosted, read, done } = fetching({ count: 2, bytesMax: 2_000, partitionBytesMax: 1_000 })
  logs[1]!.reads[0]!.answer(800)
  hosted.delete(1)
  logs[0]!.reads[0]!.answer(500)
  await done
  await turn()
  expect(read.results.map(({ errorCode }) => errorCode)).toEqual([ErrorCode.NONE, ErrorCode.NOT_LEADER_OR_FOLLOWER])
  expect(logs.map(({ lent }) => lent)).toEqual([1, 0])
})

test.each([-1, -8_192, -100_000])('a client that allows %i bytes of a partition gets none, and no file is asked for less than nothing', async (partitionBytesMax) => {
  const { logs, read, done } = fetching({ count: 3, bytesMax: 2_000, partitionBytesMax })
  for (const { reads } of logs) {
    for (const { request } of reads) expect(request.bytesMax).toBeGreaterThanOrEqual(0)
    reads.at(-1)!.answer(0)
    await turn()
  }
  await done
  expect(read.results.map(({ recordsSizeBytes }) => recordsSizeBytes)).toEqual([0, 0, 0])
})
