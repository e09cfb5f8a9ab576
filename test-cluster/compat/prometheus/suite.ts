import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClusterClient } from '../../client/cluster-client.ts'
import { eventually } from '../../process/eventually.ts'
import { freePorts } from '@kavka/testkit'
import { ProcessCluster } from '../../process/process-cluster.ts'
import { same } from '../check.ts'
import type { CompatSuite } from '../check.ts'
import { ensureDebianPackages } from '../debian.ts'

/** What dashboards and alerts ask first; each must have an answer while the cluster is healthy. */
const EXPECTED: ReadonlyArray<readonly [query: string, answer: number]> = [
  ['sum(up)', 3],
  ['sum(kafka_controller_kafkacontroller_activecontrollercount)', 1],
  ['sum(kafka_server_replicamanager_underreplicatedpartitions)', 0],
  ['sum(kafka_server_replicamanager_underminisrpartitioncount)', 0],
  ['sum(kafka_controller_kafkacontroller_offlinepartitionscount)', 0],
  ['sum(kafka_server_replicamanager_leadercount)', 6],
  ['sum(kafka_server_replicamanager_partitioncount)', 18],
  ['min(kafka_server_kafkaserver_brokerstate)', 3],
  ['count(kafka_topic_partition_current_offset{topic="scraped"})', 6],
  ['min(kafka_topic_partition_in_sync_replica{topic="scraped"})', 3],
  ['max(kafka_brokers)', 3],
]

/** Debian's Prometheus scrapes the three nodes; promtool finds nothing to complain of. */
export const prometheusSuite: CompatSuite = {
  name: 'Prometheus',
  pace: 'quick',
  install: () => Promise.resolve(ensureDebianPackages(['prometheus'], ['promtool', '--version'])),
  checks: [{ name: 'scrapes three nodes; promtool check metrics is clean', run: scrape }],
}

async function scrape(): Promise<void> {
  const cluster = await ProcessCluster.start()
  const directory = mkdtempSync(join(tmpdir(), 'kavka-prometheus-'))
  try {
    const client = new ClusterClient(cluster.bootstrap)
    await client.createTopic('scraped', { partitions: 6, replicationFactor: 3 })
    client.close()
    for (const node of cluster.nodes) await checkMetrics(cluster.httpAddress(node.nodeId))
    const targets = cluster.nodes.map((node) => `'${cluster.httpAddress(node.nodeId).replace('http://', '')}'`)
    await withPrometheus(directory, targets, async (query) => {
      for (const [expression, answer] of EXPECTED) {
        await eventually(async () => {
          same(await query(expression), answer, expression)
          return true
        }, { what: expression, withinMs: 30_000, everyMs: 250 })
      }
    })
  } finally {
    await cluster.dispose()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function checkMetrics(address: string): Promise<void> {
  const text = await (await fetch(`${address}/metrics`)).text()
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  if (status !== 0 || stdout.trim() !== '' || stderr.trim() !== '') throw new Error(`promtool, exit ${status}: ${stdout}${stderr}`.slice(0, 4000))
}

async function withPrometheus(
  directory: string,
  targets: readonly string[],
  body: (query: (expression: string) => Promise<number | null>) => Promise<void>,
): Promise<void> {
  const [port] = await freePorts(1)
  const config = join(directory, 'prometheus.yml')
  writeFileSync(config, `scrape_configs:\n- job_name: kavka\n  scrape_interval: 500ms\n  static_configs:\n  - targets: [${targets.join(', ')}]\n`)
  const server = spawn('prometheus', [`--config.file=${config}`, `--storage.tsdb.path=${join(directory, 'data')}`, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' })
  const ended = new Promise((resolve) => {
    server.once('exit', resolve)
  })
  try {
    await body(async (expression) => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`)
      const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } }
      return data.result[0] === undefined ? null : Number(data.result[0].value[1])
    })
  } finally {
    server.kill('SIGKILL')
    await ended
  }
}
