import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Processes } from './directory-lock.ts'

/** Field 22 of /proc/<id>/stat, counted behind the command's closing parenthesis. */
const START_TIME_FIELD = 19

/** This machine's processes. Where there is no /proc, any process with the id counts as the holder. */
export const systemProcesses: Processes = {
  id: process.pid,
  host: hostname(),
  incarnation: (id) => {
    try {
      const stat = readFileSync(`/proc/${id}/stat`, 'utf8')
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_TIME_FIELD] ?? '?'
    } catch {
      return isRunning(id) ? '?' : null
    }
  },
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
