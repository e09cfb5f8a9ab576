import { cpus, release, totalmem } from 'node:os'
import { javaVersion } from './clusters/kafka-side.ts'

/** Where a comparison ran. */
export interface Machine {
  readonly cores: number
  readonly processor: string
  readonly memoryGigabytes: number
  readonly kernel: string
  readonly node: string
  readonly java: string
}

export function thisMachine(): Machine {
  const processors = cpus()
  return {
    cores: processors.length, processor: processors[0]?.model.trim() ?? 'unknown processor', memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    kernel: `${process.platform} ${release()}`, node: process.versions.node, java: javaVersion(),
  }
}

/** One sentence about it. */
export function describeMachine({ cores, processor, memoryGigabytes, kernel, node, java }: Machine): string {
  return `${cores} ${cores === 1 ? 'core' : 'cores'} (${processor}), ${memoryGigabytes} GiB, ${kernel}, Node ${node}, Java ${java}`
}
