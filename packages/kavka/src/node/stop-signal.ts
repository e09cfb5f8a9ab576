import { EventEmitter } from 'node:events'

/** Emits `stop` on the first SIGTERM, SIGINT or SIGHUP; a second one ends the process at once. */
export function stopSignal(): EventEmitter<{ stop: [signal: string] }> {
  const emitter = new EventEmitter<{ stop: [signal: string] }>()
  let stopping = false
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(130)
      stopping = true
      emitter.emit('stop', signal)
    })
  }
  return emitter
}
