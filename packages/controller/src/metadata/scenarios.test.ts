/** Scripts of what a cluster goes through, in `testdata`: every command prints what it changed. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { runScript } from '@kavka/testkit'
import type { ScriptCommand } from '@kavka/testkit'
import { ApiKey, errorName } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import { partitionLine } from '../testing/describe-image.ts'
import { TestCluster, testUuid } from '../testing/test-cluster.ts'
import { preferredElections, uncleanElections } from './partitions/maintenance.ts'
import { LOST_DIRECTORY } from './directories.ts'
import type { MetadataRecord } from './records.ts'

const folder = join(__dirname, 'testdata')

for (const file of readdirSync(folder)) {
  test(file, () => {
    let cluster = new TestCluster()
    runScript(join(folder, file), (command) => {
      if (command.name === 'cluster') {
        cluster = new TestCluster({ properties: { 'min.insync.replicas': command.option('min-isr') ?? '1' } })
        cluster.start(...numbers(command, 'brokers'))
        return 'ok'
      }
      const before = cluster.batches.length
      const said = run(cluster, command)
      const changes = cluster.batches
        .slice(before)
        .flat()
        .map((record) => describeRecord(cluster, record))
      return (
        [said, ...new Set(changes.filter((line) => line !== null))]
          .filter((line) => line !== '')
          .join('\n') || 'nothing changed'
      )
    })
  })
}

function run(cluster: TestCluster, command: ScriptCommand): string {
  const id = Number(command.positional[0])
  switch (command.name) {
    case 'topic': {
      cluster.createTopic(command.positional[0]!, [numbers(command, 'replicas')])
      return ''
    }
    case 'register': {
      const previous = command.option('stopped') === 'uncleanly' ? { previousBrokerEpoch: -1 } : {}
      return errorName(cluster.register(id, previous).errorCode)
    }
    case 'heartbeat':
      return heartbeat(cluster, id, command)
    case 'fence': {
      cluster.fence(id)
      return ''
    }
    case 'alter-isr':
      return errorName(cluster.alterIsr(command.positional[0]!, numbers(command, 'isr')))
    case 'reassign':
      return reassign(cluster, command)
    case 'assign':
      return errorName(assign(cluster, id, command))
    case 'config': {
      const [topic, name, value] = command.positional
      return errorName(
        topic === 'cluster'
          ? cluster.setConfig(4, '', name!, value ?? null)
          : cluster.setConfig(2, topic!, name!, value ?? null),
      )
    }
    case 'elect':
      return elect(cluster, command)
    case 'preferred-pass': {
      cluster.commit(preferredElections(cluster.context, () => true))
      return ''
    }
    case 'unclean-pass': {
      cluster.commit(uncleanElections(cluster.context))
      return ''
    }
    default:
      throw new Error(`unknown command ${command.name}`)
  }
}

function heartbeat(cluster: TestCluster, id: number, command: ScriptCommand): string {
  const { errorCode, isFenced, shouldShutDown } = cluster.heartbeat(id, {
    ...(command.option('offset') === null ? {} : { offset: command.number('offset') }),
    shutDown: command.positional.includes('shut-down'),
    fence: command.positional.includes('fence'),
    ...(command.positional.includes('directory-offline') ? { offlineLogDirs: [testUuid(id)] } : {}),
  })
  return `${errorName(errorCode)}${isFenced === true ? ' fenced' : ''}${shouldShutDown === true ? ' may-stop' : ''}`
}

function elect(cluster: TestCluster, { positional: [topic, kind] }: ScriptCommand): string {
  const body = { electionType: kind === 'unclean' ? 1 : 0, topicPartitions: [{ topic, partitions: [0] }], timeoutMs: 0 }
  type Response = { readonly replicaElectionResults: readonly { readonly partitionResult: readonly { readonly errorCode: number }[] }[] }
  const { replicaElectionResults } = cluster.request<Response>(ApiKey.ElectLeaders, 2, body)
  return errorName(replicaElectionResults[0]!.partitionResult[0]!.errorCode)
}

/** `reassign TOPIC replicas=(…)`, without replicas: called off. Then what is under way. */
function reassign(cluster: TestCluster, command: ScriptCommand): string {
  const name = command.positional[0]!
  const replicas = command.options.has('replicas') ? numbers(command, 'replicas').filter((id) => id > 0) : null
  const response = cluster.request<{ responses: { partitions: { errorCode: number }[] }[] }>(ApiKey.AlterPartitionReassignments, 1, {
    timeoutMs: 0,
    allowReplicationFactorChange: !command.positional.includes('same-factor'),
    topics: [{ name, partitions: [{ partitionIndex: Number(command.option('partition') ?? 0), replicas }] }],
  })
  const listed = cluster.request<{ topics: { partitions: { addingReplicas: number[]; removingReplicas: number[] }[] }[] }>(
    ApiKey.ListPartitionReassignments, 0, { timeoutMs: 0, topics: null },
  )
  const ongoing = listed.topics.flatMap(({ partitions }) => partitions)
    .map(({ addingReplicas, removingReplicas }) => `adding=[${addingReplicas.join()}] removing=[${removingReplicas.join()}]`)
  return [errorName(response.responses[0]!.partitions[0]!.errorCode), ...ongoing].join(' ')
}

/** `assign BROKER TOPIC LOST | KNOWN | UNKNOWN`: the directory that the broker reports. */
function assign(cluster: TestCluster, id: number, command: ScriptCommand): number {
  const [, topic, directory] = command.positional
  const ids = { LOST: LOST_DIRECTORY, KNOWN: testUuid(id), UNKNOWN: testUuid(999) }
  const partition = { partitionIndex: Number(command.option('partition') ?? 0) }
  const topicId = topic === 'nowhere' ? testUuid(998) : cluster.topic(topic!).id
  const response = cluster.request<Assigned>(ApiKey.AssignReplicasToDirs, 0, {
    brokerId: id,
    brokerEpoch: Number(command.option('epoch') ?? cluster.image.brokers.get(id as NodeId)?.epoch ?? -1),
    directories: [{ id: ids[directory as keyof typeof ids], topics: [{ topicId, partitions: [partition] }] }],
  })
  return response.errorCode === 0 ? response.directories[0]!.topics[0]!.partitions[0]!.errorCode : response.errorCode
}

interface Assigned {
  readonly errorCode: number
  readonly directories: readonly { readonly topics: readonly { readonly partitions: readonly { readonly errorCode: number }[] }[] }[]
}

function numbers(command: ScriptCommand, key: string): number[] {
  return (command.options.get(key) ?? []).map(Number)
}

function describeRecord(cluster: TestCluster, record: MetadataRecord): string | null {
  switch (record.kind) {
    case 'partition':
    case 'partition-change': {
      return partitionLine(
        cluster.image,
        cluster.image.topics.byId.get(record.topicId)!.name,
        record.partition,
      )
    }
    case 'broker-change':
      if (record.fenced !== null) return `broker ${record.brokerId} ${record.fenced ? 'fenced' : 'unfenced'}`
      if (record.logDirs !== null) return `broker ${record.brokerId} has ${record.logDirs.length} directories`
      return `broker ${record.brokerId} in controlled shutdown`
    case 'register-broker':
      return `broker ${record.brokerId} registered`
    case 'config':
      return `config ${record.resourceName === '' ? 'cluster' : record.resourceName} ${record.name}=${record.value ?? 'unset'}`
    default:
      return null
  }
}
