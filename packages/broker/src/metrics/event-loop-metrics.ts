/** How busy the one event loop is: `nodejs_eventloop_lag_*` and Kafka's idle percentages, which dashboards read. */
import { performance } from 'node:perf_hooks'
import type { EventLoopUtilization } from 'node:perf_hooks'
import type { Metrics } from '@kavka/kernel'

/** process_* and nodejs_* by prom-client, and the idle share of the loop since the previous scrape as Kafka's thread pools report it. */
export function registerProcessMetrics(metrics: Metrics): void {
  metrics.includeProcess()
  const idle = idleSinceLastScrape()
  const gauge = (name: string, help: string): void => metrics.gauge({ name, help, collect: () => [[idle()]] })
  gauge('kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent', 'Idle share of the event loop, 0 to 1.')
  gauge('kafka_network_socketserver_networkprocessoravgidle_percent', 'Idle share of the event loop, 0 to 1.')
}

const SAME_SCRAPE_MS = 500

/** Both gauges of one scrape get the same figure. */
function idleSinceLastScrape(): () => number {
  let last: EventLoopUtilization = performance.eventLoopUtilization()
  let lastMs = performance.now()
  let share = 1
  return () => {
    const now = performance.now()
    if (now - lastMs < SAME_SCRAPE_MS) return share
    const current = performance.eventLoopUtilization()
    share = 1 - performance.eventLoopUtilization(current, last).utilization
    last = current
    lastMs = now
    return share
  }
}
