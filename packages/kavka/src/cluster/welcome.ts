import type { ClusterMember } from './cluster-folder.ts'

/** What a user sees when the cluster serves: where to connect and what to type next. */
export function welcome(members: readonly ClusterMember[], startedInMs: number): string {
  const bootstrap = members.map(clientAddress).join(',')
  const rows = members.map(
    (member) => `  ${member.name}   clients ${clientAddress(member)}   metrics http://${httpAddress(member)}/metrics   data ${member.settings.layout.dataDirectories[0]!}`,
  )
  return `
Kavka serves: ${members.length} nodes, ready in ${Math.round(startedInMs)} ms.

${rows.join('\n')}

Connect any Kafka client to ${bootstrap}

Try it from another shell:
  kcat -b ${clientAddress(members[0]!)} -L
  echo hello | kcat -b ${clientAddress(members[0]!)} -P -t greetings
  kcat -b ${clientAddress(members[0]!)} -C -t greetings -e
  kill -9 $(pgrep -f node-2.properties | head -1)   # and watch that nothing is lost

Ctrl-C stops all of them. The data stays; the next start finds it again.
`
}

function clientAddress({ settings }: ClusterMember): string {
  const listener = settings.layout.listeners.find((one) => one.role === 'broker') ?? settings.layout.listeners[0]!
  return `${listener.advertisedHost}:${listener.advertisedPort}`
}

function httpAddress({ settings }: ClusterMember): string {
  const { host, port } = settings.layout.http
  return `${host === '' ? '127.0.0.1' : host}:${port}`
}
