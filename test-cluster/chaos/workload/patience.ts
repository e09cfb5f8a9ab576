import { setTimeout as sleep } from 'node:timers/promises'
import { ConnectionLostError } from '../../client/wire-connection.ts'

export async function pauseMs(milliseconds: number): Promise<void> {
  await sleep(milliseconds)
}

/** The answer, or a ConnectionLostError after the time: what was asked may or may not have happened. */
export async function withinMs<T>(milliseconds: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ConnectionLostError(`no answer within ${milliseconds} ms`)), milliseconds)
  })
  answer.catch(() => {})
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
