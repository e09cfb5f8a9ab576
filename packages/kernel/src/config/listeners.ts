import { failure, success } from '../result.ts'
import type { Result } from '../result.ts'

export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'

/** One entry of `listeners` or `advertised.listeners`. */
export interface ListenerAddress {
  readonly name: string
  /** '' binds every interface. */
  readonly host: string
  readonly port: number
}

/** One entry of `controller.quorum.voters`. */
export interface QuorumVoter {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

/** Parses `NAME://HOST:PORT`, the host optional and in brackets when it is IPv6. */
export function parseListener(text: string): Result<ListenerAddress, string> {
  const match = /^([A-Za-z0-9_.-]+):\/\/(\[[0-9a-fA-F:.%]+\]|[^:/\s]*):(-?\d+)$/.exec(text.trim())
  if (match === null) return failure(`'${text}' must look like NAME://HOST:PORT`)
  const [, name, host, port] = match as unknown as [string, string, string, string]
  if (Number(port) < 0 || Number(port) > 65535) return failure(`'${text}' has a port outside 0 to 65535`)
  return success({ name: name.toUpperCase(), host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) })
}

/** Parses `ID@HOST:PORT`. */
export function parseVoter(text: string): Result<QuorumVoter, string> {
  const match = /^(\d+)@(\[[0-9a-fA-F:.]+\]|[^:/\s]+):(\d+)$/.exec(text.trim())
  if (match === null) return failure(`'${text}' must look like ID@HOST:PORT`)
  const [, id, host, port] = match as unknown as [string, string, string, string]
  if (Number(port) < 1 || Number(port) > 65535) return failure(`'${text}' has a port outside 1 to 65535`)
  return success({ nodeId: Number(id), host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) })
}

/** Parses `NAME:PROTOCOL,…` of `listener.security.protocol.map`. */
export function parseProtocolMap(text: string): Result<ReadonlyMap<string, SecurityProtocol>, string> {
  const protocols = new Map<string, SecurityProtocol>()
  for (const entry of text.split(',').map((part) => part.trim()).filter((part) => part !== '')) {
    const match = /^([^:]+):(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)$/i.exec(entry)
    if (match === null) {
      return failure(`'${entry}' must look like NAME:PROTOCOL with PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL`)
    }
    protocols.set(match[1]!.toUpperCase(), match[2]!.toUpperCase() as SecurityProtocol)
  }
  return success(protocols)
}
