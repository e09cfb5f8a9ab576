import { readFileSync, readdirSync, readlinkSync } from 'node:fs'

/** What a process has used so far. */
export interface Usage {
  readonly cpuSeconds: number
  readonly rssMegabytes: number
  /** What it caused to be written to disks, also when the system writes it later; 0 where this may not be seen. */
  readonly writtenBytes: number
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

/** CPU time and disk writes since the start, and resident memory now. Throws when there is no such process. */
export function usageOf(pid: number): Usage {
  return {
    cpuSeconds: parseCpuSeconds(readFileSync(`/proc/${pid}/stat`, 'utf8')),
    rssMegabytes: parseRssMegabytes(readFileSync(`/proc/${pid}/statm`, 'utf8')),
    writtenBytes: parseWrittenBytes(lines(`/proc/${pid}/io`).join('\n')),
  }
}

/** Of /proc/PID/stat: user and system time. The name in brackets may hold anything, brackets too. */
export function parseCpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND
}

/** Of /proc/PID/statm: the second number, in pages. */
export function parseRssMegabytes(statm: string): number {
  return (Number(statm.split(' ')[1]) * PAGE_BYTES) / 1e6
}

/** Of /proc/PID/io: what was dirtied, less what was truncated away before it reached a disk. */
export function parseWrittenBytes(io: string): number {
  const value = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(io)?.[1] ?? 0)
  return value('write_bytes') - value('cancelled_write_bytes')
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
