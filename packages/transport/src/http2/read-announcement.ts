import type { Socket } from 'node:net'
import { announcedIn } from './announcement.ts'

export type ConnectionKind = 'single-stream' | 'other'

/** Reads a connection until it tells what it carries, and leaves it paused; never calls back when it ends before that. */
export function readAnnouncement(socket: Socket, onKnown: (start: Buffer, kind: ConnectionKind) => void): void {
  let start = Buffer.alloc(0)
  function onData(chunk: Buffer): void {
    start = Buffer.concat([start, chunk])
    const kind = announcedIn(start)
    if (kind === 'more') return
    socket.pause()
    socket.off('data', onData)
    socket.off('error', onError)
    onKnown(start, kind)
  }
  /** `close` follows. */
  function onError(): void {}
  socket.on('data', onData)
  socket.on('error', onError)
  socket.resume()
}
