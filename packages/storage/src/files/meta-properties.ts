/** `meta.properties`: whose data a log directory holds. Version 1 is written, version 0 (`broker.id`) is read. */
import { failure, success } from '@kavka/kernel'
import type { Result } from '@kavka/kernel'
import type { NodeId, Uuid } from '@kavka/protocol'

export interface MetaProperties {
  readonly clusterId: string
  readonly nodeId: NodeId
  /** Null in directories formatted before KIP-858. */
  readonly directoryId: Uuid | null
}

/** The error is a sentence without the file's name. */
export function parseMetaProperties(text: string): Result<MetaProperties, string> {
  const properties = parseProperties(text)
  const version = properties.get('version')
  if (version !== '0' && version !== '1') return failure(`its version is ${version ?? 'missing'}, expected 1`)
  const nodeIdText = properties.get(version === '1' ? 'node.id' : 'broker.id')
  const nodeId = Number(nodeIdText)
  if (nodeIdText === undefined || !/^\d+$/.test(nodeIdText)) return failure('it has no valid node.id')
  const clusterId = properties.get('cluster.id')
  if (clusterId === undefined || clusterId === '') return failure('it has no cluster.id')
  const directoryId = properties.get('directory.id') ?? null
  if (directoryId !== null && !/^[\w-]{22}(==)?$/.test(directoryId)) return failure(`its directory.id "${directoryId}" is no uuid`)
  return success({ clusterId, nodeId: nodeId as NodeId, directoryId: (directoryId?.slice(0, 22) ?? null) as Uuid | null })
}

export function formatMetaProperties(meta: MetaProperties): string {
  const directory = meta.directoryId === null ? '' : `directory.id=${meta.directoryId}\n`
  return `version=1\ncluster.id=${meta.clusterId}\nnode.id=${meta.nodeId}\n${directory}`
}

/** The subset of Java's properties format that such files use: `key=value` or `key:value`, `#` and `!` comments. */
function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*([^#!=:\s][^=:\s]*)\s*[=:]?\s*(.*?)\s*$/.exec(line)
    if (match) properties.set(match[1]!, match[2]!.replaceAll(/\\(.)/g, '$1'))
  }
  return properties
}
