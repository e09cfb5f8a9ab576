/** One ListOffsets to another broker over its inter-broker listener: connect, ask, read the answer, close. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { Scheduler } from '@kavka/kernel'
import {
  decodeResponse, encodeRequestFrame, listOffsetsRequestCodec, listOffsetsResponseCodec,
} from '@kavka/protocol'
import type { ListOffsetsResponse, TopicPartition } from '@kavka/protocol'
import { FrameAssembler } from '../net/framing.ts'

const LIST_OFFSETS_VERSION = 7
const LATEST = -1
const TIMEOUT_MS = 1_000
const RESPONSE_BYTES_MAX = 16 * 1024 * 1024
const CORRELATION_ID = 1

export interface EndOffsetAnswer extends TopicPartition {
  readonly errorCode: number
  readonly offset: number
}

export interface LeaderOffsetsClient {
  /** An empty list when the broker does not answer within a second. */
  latestOffsets(
    address: { readonly host: string; readonly port: number },
    partitions: readonly TopicPartition[],
  ): Promise<readonly EndOffsetAnswer[]>
}

export function createLeaderOffsetsClient(deps: { readonly scheduler: Scheduler }): LeaderOffsetsClient {
  return {
    latestOffsets: (address, partitions) =>
      new Promise((resolve) => {
        const socket = connect({ host: address.host, port: address.port, noDelay: true })
        const settle = (answers: readonly EndOffsetAnswer[]): void => {
          timer.cancel()
          socket.destroy()
          resolve(answers)
        }
        const timer = deps.scheduler.after(TIMEOUT_MS, () => settle([]))
        socket.once('error', () => settle([]))
        socket.once('close', () => settle([]))
        readFrame(socket, (frame) => settle(frame === null ? [] : answersIn(frame)))
        for (const piece of requestFor(partitions)) socket.write(piece)
      }),
  }
}

function requestFor(partitions: readonly TopicPartition[]): Buffer[] {
  const byTopic = new Map<string, { partitionIndex: number; timestamp: number }[]>()
  for (const { topic, partition } of partitions) {
    const asked = byTopic.get(topic) ?? []
    asked.push({ partitionIndex: partition, timestamp: LATEST })
    byTopic.set(topic, asked)
  }
  const topics = Array.from(byTopic, ([name, asked]) => ({ name, partitions: asked }))
  return encodeRequestFrame({
    codec: listOffsetsRequestCodec, apiVersion: LIST_OFFSETS_VERSION, correlationId: CORRELATION_ID, clientId: 'kavka-lag',
    request: { replicaId: -1, isolationLevel: 0, topics },
  })
}

function readFrame(socket: Socket, done: (frame: Buffer | null) => void): void {
  const assembler = new FrameAssembler({ frameBytesMax: RESPONSE_BYTES_MAX })
  socket.on('data', (chunk: Buffer) => {
    assembler.push(chunk)
    const frame = assembler.next()
    if (frame !== null) done(Buffer.isBuffer(frame) ? frame : null)
  })
}

function answersIn(frame: Buffer): EndOffsetAnswer[] {
  const { response } = decodeResponse<ListOffsetsResponse>(listOffsetsResponseCodec, LIST_OFFSETS_VERSION, frame)
  return response.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, errorCode, offset }) => ({ topic: name, partition: partitionIndex, errorCode, offset })),
  )
}
