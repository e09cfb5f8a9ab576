import { execFileSync, spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'

const here = fileURLToPath(new URL('.', import.meta.url))
/** Where the class path and what is made from it are kept; ends with a slash. */
export const kafkaCache = fileURLToPath(new URL('../../.cache/kafka-4.3.1/', import.meta.url))

/** What a finished command left. */
export interface CommandResult {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number | null
}

/** Main classes of Apache Kafka 4.3 by the name of their script. */
export const kafkaTools = {
  'kafka-topics': 'org.apache.kafka.tools.TopicCommand',
  'kafka-console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'kafka-console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  'kafka-consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'kafka-configs': 'kafka.admin.ConfigCommand',
  'kafka-broker-api-versions': 'org.apache.kafka.tools.BrokerApiVersionsCommand',
  'kafka-verifiable-producer': 'org.apache.kafka.tools.VerifiableProducer',
  'kafka-verifiable-consumer': 'org.apache.kafka.tools.VerifiableConsumer',
  'kafka-producer-perf-test': 'org.apache.kafka.tools.ProducerPerformance',
  'kafka-consumer-perf-test': 'org.apache.kafka.tools.ConsumerPerformance',
  'kafka-e2e-latency': 'org.apache.kafka.tools.EndToEndLatency',
  'kafka-dump-log': 'org.apache.kafka.tools.DumpLogSegments',
  'kafka-log-dirs': 'org.apache.kafka.tools.LogDirsCommand',
  'kafka-leader-election': 'org.apache.kafka.tools.LeaderElectionCommand',
  'kafka-metadata-quorum': 'org.apache.kafka.tools.MetadataQuorumCommand',
  'kafka-delete-records': 'org.apache.kafka.tools.DeleteRecordsCommand',
  'kafka-get-offsets': 'org.apache.kafka.tools.GetOffsetShell',
  'kafka-groups': 'org.apache.kafka.tools.GroupsCommand',
  'kafka-cluster': 'org.apache.kafka.tools.ClusterTool',
  'kafka-storage': 'kafka.tools.StorageTool',
  'kafka-server-start': 'kafka.Kafka',
} as const

export type KafkaTool = keyof typeof kafkaTools

/** Fetches Apache Kafka's jars from Maven Central once; throws with what is missing when the machine has no Java or no Maven. */
export function kafkaClasspath(): string {
  const file = join(kafkaCache, 'classpath.txt')
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  for (const [command, option] of [['java', '-version'], ['mvn', '-version']] as const) {
    if (spawnSync(command, [option]).status !== 0) throw new Error(`Apache Kafka's tools need ${command} (Debian: default-jdk-headless, maven)`)
  }
  mkdirSync(kafkaCache, { recursive: true })
  const output = join(kafkaCache, 'classpath.tmp')
  try {
    execFileSync('mvn', [
      '-q', '-f', join(here, 'kafka-pom.xml'), 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath',
      `-Dmdep.outputFile=${output}`,
    ], { stdio: ['ignore', 2, 2] })
  } catch (error) {
    throw new Error('Maven could not fetch Apache Kafka (is Maven Central, or the mirror of it in settings.xml, in reach?)', { cause: error })
  }
  const classpath = readFileSync(output, 'utf8').trim()
  writeFileSync(file, classpath)
  return classpath
}

/** Warnings and worse, on the standard error. */
export const loggingFlag = `-Dlog4j2.configurationFile=${join(here, 'log4j2.properties')}`

/** JVM flags of a short-lived tool: little memory, quick start. */
const toolFlags = ['-Xmx256m', '-Xss512k', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData', loggingFlag]

/** Arguments of `java` for a tool. */
export function javaArguments(tool: KafkaTool, args: readonly string[], flags: readonly string[] = toolFlags): string[] {
  return [...flags, '-cp', kafkaClasspath(), kafkaTools[tool], ...args]
}

/** Starts a tool and leaves it running. */
export function spawnTool(tool: KafkaTool, args: readonly string[], flags?: readonly string[]): ChildProcess {
  return spawn('java', javaArguments(tool, args, flags), { stdio: ['pipe', 'pipe', 'pipe'] })
}

/** Runs a tool to its end. */
export function runTool(
  tool: KafkaTool, args: readonly string[], input = '', timeoutMs = 120_000, flags?: readonly string[],
): Promise<CommandResult> {
  return finish(spawnTool(tool, args, flags === undefined ? undefined : [...flags, loggingFlag]), input, timeoutMs)
}

/** Runs any command to its end. */
export function runCommand(command: string, args: readonly string[], input = '', timeoutMs = 120_000): Promise<CommandResult> {
  return finish(spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] }), input, timeoutMs)
}

function finish(child: ChildProcess, input: string, timeoutMs: number): Promise<CommandResult> {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode) => {
      clearTimeout(timer)
      resolve({ stdout, stderr, exitCode })
    })
  })
}
