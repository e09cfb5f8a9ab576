import { readFileSync, readdirSync, readlinkSync } from 'node:fs'

/** What a process has used so far. */
export interface Usage {
  readonly cpuSeconds: number
  readonly rssMegabytes: number
}

const CLOCK_TICKS_PER_SECOND = 100
const PAGE_BYTES = 4096
const LISTEN = '0A'

/** Process ids by the port they listen on, on this machine; a port whose owner cannot be seen is left out (Linux only). */
export function processesByPort(ports: readonly number[]): ReadonlyMap<number, number> {
  const portByInode = new Map<string, number>()
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of lines(table).slice(1)) {
      const fields = line.trim().split(/\s+/)
      const port = Number.parseInt(fields[1]?.split(':')[1] ?? '', 16)
      if (fields[3] === LISTEN && ports.includes(port)) portByInode.set(fields[9]!, port)
    }
  }
  const found = new Map<number, number>()
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const descriptor of list(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${descriptor}`))?.[1]
      const port = inode === undefined ? undefined : portByInode.get(inode)
      if (port !== undefined) found.set(port, Number(pid))
    }
  }
  return found
}

/** CPU time since the start and resident memory now. */
export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND,
    rssMegabytes: (pages * PAGE_BYTES) / 1e6,
  }
}

function lines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n')
  } catch {
    return []
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
