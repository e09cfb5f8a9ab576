/** `kafka_server_socket_server_metrics_*` and the request channel: what the listeners count, pulled on scrape. */
import type { GaugeSample, Metrics } from '@kavka/kernel'
import type { Listener } from '../net/listener.ts'

/**
 * Kafka has a label for its network threads; there is one event loop. Labels are in snake case, unlike those of the usual exporter rules,
 * because promtool objects to any other.
 */
const PROCESSOR = '0'
const LABELS = ['listener', 'network_processor'] as const
const PREFIX = 'kafka_server_socket_server_metrics'

export function registerNetworkMetrics(metrics: Metrics, listeners: readonly Listener[]): void {
  const perListener = (valueOf: (listener: Listener) => number) => (): GaugeSample[] =>
    listeners.map((listener) => [valueOf(listener), listener.name, PROCESSOR])
  const untyped = (name: string, help: string, valueOf: (listener: Listener) => number): void =>
    metrics.untyped({ name: `${PREFIX}_${name}`, help, labels: LABELS, collect: perListener(valueOf) })
  const counter = (name: string, help: string, valueOf: (listener: Listener) => number): void =>
    metrics.observedCounter({ name: `${PREFIX}_${name}`, help, labels: LABELS, collect: perListener(valueOf) })
  untyped('connection_count', 'Open Kafka connections.', (listener) => listener.connectionCount)
  counter('connection_creation_total', 'Connections accepted.', ({ totals }) => totals.accepted)
  counter('connection_close_total', 'Connections closed.', ({ totals }) => totals.closed)
  counter('connection_refused_total', 'Connections refused or closed because of what the peer sent or how many there are.', ({ totals }) => totals.refused)
  counter('connection_idle_close_total', 'Connections closed after connections.max.idle.ms.', ({ totals }) => totals.idleClosed)
  counter('incoming_byte_total', 'Bytes received.', ({ totals }) => totals.bytesReceived)
  counter('outgoing_byte_total', 'Bytes sent.', ({ totals }) => totals.bytesSent)
  registerSoftware(metrics, listeners)
  registerQueues(metrics, listeners)
}

function registerSoftware(metrics: Metrics, listeners: readonly Listener[]): void {
  metrics.gauge({
    name: `${PREFIX}_connections_software`, help: 'Open connections by client software.',
    labels: ['client_software_name', 'client_software_version', ...LABELS],
    collect: function* (): Iterable<GaugeSample> {
      for (const listener of listeners) {
        for (const [key, count] of softwareOf(listener)) {
          const [name, version] = key.split('\u0000') as [string, string]
          yield [count, name, version, listener.name, PROCESSOR]
        }
      }
    },
  })
}

function softwareOf(listener: Listener): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { software } of listener.peers()) {
    const key = `${software.name}\u0000${software.version}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

function registerQueues(metrics: Metrics, listeners: readonly Listener[]): void {
  const inFlight = (): number => listeners.reduce((sum, listener) => sum + listener.requestsInFlight, 0)
  metrics.gauge({
    name: 'kafka_network_requestchannel_requestqueuesize', help: 'Requests accepted and not answered.', collect: () => [[inFlight()]],
  })
  metrics.gauge({
    name: 'kafka_network_requestchannel_responsequeuesize', help: 'Reply bytes that peers have not taken.',
    collect: () => [[listeners.reduce((sum, listener) => sum + listener.replyBytesWaiting, 0)]],
  })
}
