import { problemOf, run } from './commands.ts'

const SUBNET_HOST = 254

/** Something that is broken until it is healed. */
export interface Broken {
  heal(): void
}

/** A network namespace for each node, joined by a bridge on which the clients are too: every direction of every pair can be cut. */
export class NodeNetwork {
  readonly #name: string
  readonly #subnet: string
  readonly #count: number

  private constructor(name: string, subnet: string, count: number) {
    this.#name = name
    this.#subnet = subnet
    this.#count = count
  }

  /** Names and addresses come from the process id, so that runs beside each other do not meet. */
  static create(count: number): NodeNetwork {
    const id = process.pid % 2 ** 14
    const network = new NodeNetwork(`kv${id}`, `10.${128 + (id >> 8)}.${id & 255}`, count)
    network.remove()
    const problem = problemOf(() => network.#build())
    if (problem === null) return network
    network.remove()
    throw new Error(problem)
  }

  host(nodeId: number): string {
    return `${this.#subnet}.${nodeId}`
  }

  /** Command that runs what follows it inside the node's namespace, in the same process. */
  wrapper(nodeId: number): string[] {
    return ['nsenter', `--net=/run/netns/${this.#space(nodeId)}`, '--']
  }

  /** Packets of one node no longer reach another; the other direction stays. */
  cut(fromNode: number, toNode: number): Broken {
    return this.#rule(toNode, 'input', 'ip', 'saddr', this.host(fromNode), 'drop')
  }

  /** Clients too can no longer reach a node. */
  cutClients(nodeId: number): Broken {
    return this.#rule(nodeId, 'input', 'ip', 'saddr', `${this.#subnet}.${SUBNET_HOST}`, 'drop')
  }

  /** Drops a share of all packets that come in. */
  lose(nodeId: number, percent: number): Broken {
    return this.#rule(nodeId, 'input', 'ip', 'saddr', `${this.#subnet}.0/24`, 'numgen', 'random', 'mod', '100', '<', String(percent), 'drop')
  }

  /** Everything that a node sends goes through a thin pipe. */
  slow(nodeId: number, rate: string): Broken {
    this.#inside(nodeId, 'tc', 'qdisc', 'replace', 'dev', 'eth0', 'root', 'tbf', 'rate', rate, 'burst', '32kbit', 'latency', '400ms')
    return { heal: () => void problemOf(() => this.#inside(nodeId, 'tc', 'qdisc', 'del', 'dev', 'eth0', 'root')) }
  }

  /**
   * Connections from outside to a port of a node come to another one, where a proxy listens; those that are there already are reset, so
   * that they are made anew. The proxy itself reaches the port.
   */
  divert(nodeId: number, port: number, toPort: number): Broken {
    const diverted = this.#rule(nodeId, 'divert', 'iifname', 'eth0', 'tcp', 'dport', String(port), 'redirect', 'to', `:${toPort}`)
    const reset = this.#rule(nodeId, 'input', 'iifname', 'eth0', 'tcp', 'dport', String(port), 'ct', 'state', 'established', 'reject', 'with', 'tcp', 'reset')
    return {
      heal: () => {
        diverted.heal()
        reset.heal()
      },
    }
  }

  remove(): void {
    for (let nodeId = 1; nodeId <= this.#count; nodeId++) problemOf(() => run('ip', 'netns', 'del', this.#space(nodeId)))
    for (let nodeId = 1; nodeId <= this.#count; nodeId++) problemOf(() => run('ip', 'link', 'del', `${this.#name}v${nodeId}`))
    problemOf(() => run('ip', 'link', 'del', this.#name))
  }

  #build(): void {
    run('ip', 'link', 'add', this.#name, 'type', 'bridge')
    run('ip', 'addr', 'add', `${this.#subnet}.${SUBNET_HOST}/24`, 'dev', this.#name)
    run('ip', 'link', 'set', this.#name, 'up')
    for (let nodeId = 1; nodeId <= this.#count; nodeId++) this.#plug(nodeId)
  }

  #plug(nodeId: number): void {
    const space = this.#space(nodeId)
    const port = `${this.#name}v${nodeId}`
    run('ip', 'netns', 'add', space)
    run('ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space)
    run('ip', 'link', 'set', port, 'master', this.#name, 'up')
    this.#inside(nodeId, 'ip', 'link', 'set', 'lo', 'up')
    this.#inside(nodeId, 'ip', 'addr', 'add', `${this.host(nodeId)}/24`, 'dev', 'eth0')
    this.#inside(nodeId, 'ip', 'link', 'set', 'eth0', 'up')
    this.#inside(nodeId, 'nft', 'add', 'table', 'inet', 'chaos')
    this.#inside(nodeId, 'nft', 'add', 'chain', 'inet', 'chaos', 'input', '{ type filter hook input priority 0 ; }')
    // Not everywhere, and only `divert` needs it.
    problemOf(() => this.#inside(nodeId, 'nft', 'add', 'chain', 'inet', 'chaos', 'divert', '{ type nat hook prerouting priority -100 ; }'))
  }

  #rule(nodeId: number, chain: string, ...rule: string[]): Broken {
    const said = this.#inside(nodeId, 'nft', '--echo', '--handle', 'add', 'rule', 'inet', 'chaos', chain, ...rule)
    const handle = / handle (\d+)/.exec(said)?.[1]
    if (handle === undefined) throw new Error(`nft did not say what it added: ${said}`)
    return { heal: () => this.#inside(nodeId, 'nft', 'delete', 'rule', 'inet', 'chaos', chain, 'handle', handle) }
  }

  #space(nodeId: number): string {
    return `${this.#name}n${nodeId}`
  }

  #inside(nodeId: number, command: string, ...args: string[]): string {
    return run('nsenter', `--net=/run/netns/${this.#space(nodeId)}`, '--', command, ...args)
  }
}
