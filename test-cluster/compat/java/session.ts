import type { KafkaTool } from '../../foreign/kafka-tools.ts'

/** One command of a session with Apache Kafka's tools. */
export interface SessionStep {
  readonly tool: KafkaTool
  readonly args: readonly string[]
  readonly input?: string
  /** Lines of standard output whose order is not determined. */
  readonly unordered?: boolean
  /** Only checked to succeed: its output holds measured times. */
  readonly outputVaries?: boolean
}

/**
 * What a person does in the first half hour with a cluster, by Kafka's own tools. The same steps run against Apache Kafka (which gives the
 * transcript) and against Kavka (which must print the same). `B` stands for `--bootstrap-server` and the cluster's address.
 */
export const session: readonly SessionStep[] = [
  { tool: 'kafka-topics', args: ['B', '--create', '--topic', 'orders', '--partitions', '3', '--replication-factor', '3', '--config', 'min.insync.replicas=2', '--config', 'retention.ms=86400000'] },
  { tool: 'kafka-topics', args: ['B', '--create', '--topic', 'orders', '--partitions', '3'] },
  { tool: 'kafka-topics', args: ['B', '--create', '--topic', 'orders', '--if-not-exists'] },
  { tool: 'kafka-topics', args: ['B', '--create', '--topic', 'my_topic', '--replica-assignment', '1:2,2:3'] },
  { tool: 'kafka-topics', args: ['B', '--create', '--topic', 'bad/name'] },
  { tool: 'kafka-topics', args: ['B', '--create', '--topic', 'too-many', '--replication-factor', '9'] },
  { tool: 'kafka-topics', args: ['B', '--create', '--topic', 'wrong', '--config', 'retention.ms=soon'] },
  { tool: 'kafka-topics', args: ['B', '--list'] },
  { tool: 'kafka-topics', args: ['B', '--describe', '--topic', 'my_topic'] },
  { tool: 'kafka-topics', args: ['B', '--alter', '--topic', 'my_topic', '--partitions', '3', '--replica-assignment', '1:2,2:3,3:1'] },
  { tool: 'kafka-topics', args: ['B', '--alter', '--topic', 'my_topic', '--partitions', '2'] },
  { tool: 'kafka-topics', args: ['B', '--describe', '--under-replicated-partitions'] },
  { tool: 'kafka-topics', args: ['B', '--describe', '--topic', 'nothing-here'] },
  { tool: 'kafka-configs', args: ['B', '--alter', '--entity-type', 'topics', '--entity-name', 'orders', '--add-config', 'cleanup.policy=[compact,delete],max.message.bytes=2000000'] },
  { tool: 'kafka-configs', args: ['B', '--describe', '--entity-type', 'topics', '--entity-name', 'orders'] },
  { tool: 'kafka-configs', args: ['B', '--alter', '--entity-type', 'topics', '--entity-name', 'orders', '--delete-config', 'cleanup.policy,max.message.bytes'] },
  { tool: 'kafka-configs', args: ['B', '--alter', '--entity-type', 'topics', '--entity-name', 'orders', '--add-config', 'no.such.key=1'] },
  { tool: 'kafka-configs', args: ['B', '--alter', '--entity-type', 'brokers', '--entity-default', '--add-config', 'message.max.bytes=1500000'] },
  { tool: 'kafka-configs', args: ['B', '--describe', '--entity-type', 'brokers', '--entity-default'] },
  { tool: 'kafka-configs', args: ['B', '--alter', '--entity-type', 'brokers', '--entity-default', '--delete-config', 'message.max.bytes'] },
  { tool: 'kafka-console-producer', args: ['B', '--topic', 'orders', '--reader-property', 'parse.key=true', '--reader-property', 'key.separator=:', '--reader-property', 'parse.headers=true', '--reader-property', 'headers.delimiter=|', '--command-property', 'acks=all'], input: 'h:1|a:first\nh:2|b:second\nh:3|c:third\n' },
  { tool: 'kafka-console-producer', args: ['B', '--topic', 'orders', '--compression-codec', 'zstd'], input: 'fourth\nfifth\n' },
  { tool: 'kafka-console-consumer', args: ['B', '--topic', 'orders', '--from-beginning', '--max-messages', '5', '--timeout-ms', '20000', '--group', 'readers', '--formatter-property', 'print.key=true', '--formatter-property', 'print.headers=true'], unordered: true },
  { tool: 'kafka-get-offsets', args: ['B', '--topic', 'my_topic'] },
  { tool: 'kafka-consumer-groups', args: ['B', '--list'] },
  { tool: 'kafka-consumer-groups', args: ['B', '--list', '--state'] },
  { tool: 'kafka-consumer-groups', args: ['B', '--describe', '--group', 'nobody'] },
  { tool: 'kafka-consumer-groups', args: ['B', '--describe', '--group', 'readers', '--state'] },
  { tool: 'kafka-consumer-groups', args: ['B', '--describe', '--group', 'readers', '--members'] },
  { tool: 'kafka-consumer-groups', args: ['B', '--reset-offsets', '--group', 'readers', '--topic', 'orders', '--to-earliest', '--dry-run'] },
  { tool: 'kafka-consumer-groups', args: ['B', '--reset-offsets', '--group', 'readers', '--topic', 'orders', '--to-earliest', '--execute'] },
  { tool: 'kafka-consumer-groups', args: ['B', '--reset-offsets', '--group', 'readers', '--topic', 'my_topic', '--to-offset', '0', '--execute'] },
  { tool: 'kafka-consumer-groups', args: ['B', '--delete-offsets', '--group', 'readers', '--topic', 'my_topic'] },
  { tool: 'kafka-consumer-groups', args: ['B', '--delete', '--group', 'readers'] },
  { tool: 'kafka-consumer-groups', args: ['B', '--delete', '--group', 'readers'] },
  { tool: 'kafka-verifiable-producer', args: ['B', '--topic', 'my_topic', '--max-messages', '200', '--throughput', '-1', '--acks', '-1'], outputVaries: true },
  { tool: 'kafka-verifiable-consumer', args: ['B', '--topic', 'my_topic', '--group-id', 'verifiers', '--max-messages', '200'], outputVaries: true },
  { tool: 'kafka-leader-election', args: ['B', '--election-type', 'preferred', '--topic', 'my_topic', '--partition', '0'] },
  { tool: 'kafka-cluster', args: ['cluster-id', 'B'] },
  { tool: 'kafka-topics', args: ['B', '--delete', '--topic', 'my_topic'] },
  { tool: 'kafka-topics', args: ['B', '--delete', '--topic', 'my_topic'] },
  { tool: 'kafka-topics', args: ['B', '--list'] },
]
