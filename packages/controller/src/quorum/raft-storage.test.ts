import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KeyValueStore } from '@kavka/kernel'
import type { LeaderEpoch, NodeId, Offset } from '@kavka/protocol'
import { LevelStore } from '@kavka/storage'
import { MemoryKeyValueStore } from '@kavka/testkit'
import type { Entry } from '../raft/messages.ts'
import { BLANK_STATE } from '../raft/raft-core.ts'
import type { Write } from '../raft/ready.ts'
import { RaftStorage } from './raft-storage.ts'

const identity = { clusterId: 'c', nodeId: 1 }

async function opened(store: KeyValueStore): Promise<RaftStorage> {
  const storage = await RaftStorage.open(store, identity)
  if (!storage.ok) throw new Error(JSON.stringify(storage.error))
  return storage.value
}

function entry(offset: number, epoch: number, text = `e${offset}`): Entry {
  return { offset: offset as Offset, epoch: epoch as LeaderEpoch, kind: 'data', payload: Buffer.from(text) }
}

function writeOf(parts: Partial<Write>): Write {
  return { id: 1, hardState: null, snapshot: null, logStart: null, truncateTo: null, entries: [], ...parts }
}

const hardState = { epoch: 3 as LeaderEpoch, votedFor: 2 as NodeId, leaderId: null }
const offsets = (state: Awaited<ReturnType<RaftStorage['load']>>): string =>
  state.ok ? state.value.entries.map(({ offset, epoch }) => `${offset}@${epoch}`).join(' ') : JSON.stringify(state.error)

test('a blank store gives the state of a node that never ran', async () => {
  const storage = await opened(new MemoryKeyValueStore())
  expect(await storage.load()).toEqual({ ok: true, value: BLANK_STATE })
})

test('what is written is loaded: hard state, entries of both kinds, epochs, any bytes', async () => {
  const store = new MemoryKeyValueStore()
  const storage = await opened(store)
  const change: Entry = { ...entry(0, 3), kind: 'leader-change', payload: Uint8Array.of(0, 0, 0, 255) }
  await storage.write(writeOf({ hardState, entries: [change, entry(1, 3, ''), entry(2, 4_000_000_000)] }))
  const loaded = await (await opened(store)).load()
  expect(loaded).toMatchObject({ ok: true, value: { hardState, logStart: BLANK_STATE.logStart, snapshot: null } })
  if (!loaded.ok) return
  expect(loaded.value.entries.map(({ kind, epoch, payload }) => [kind, epoch, [...payload]])).toEqual([
    ['leader-change', 3, [0, 0, 0, 255]],
    ['data', 3, []],
    ['data', 4_000_000_000, [...Buffer.from('e2')]],
  ])
})

test('a truncation comes before the entries of the same write', async () => {
  const storage = await opened(new MemoryKeyValueStore())
  await storage.write(writeOf({ entries: [0, 1, 2, 3].map((offset) => entry(offset, 1)) }))
  await storage.write(writeOf({ truncateTo: 2 as Offset, entries: [entry(2, 5)] }))
  expect(offsets(await storage.load())).toBe('0@1 1@1 2@5')
})

test('a snapshot replaces the one before, of whatever size, and the log is cut below the start', async () => {
  const storage = await opened(new MemoryKeyValueStore())
  const large = Buffer.alloc(2_500_000, 'x')
  const small = Buffer.from('small')
  await storage.write(writeOf({ entries: [0, 1, 2, 3].map((offset) => entry(offset, 1)) }))
  const id = { offset: 3 as Offset, epoch: 1 as LeaderEpoch }
  await storage.write(
    writeOf({ snapshot: { ...id, bytes: large }, logStart: { offset: 2 as Offset, previousEpoch: 1 as LeaderEpoch } }),
  )
  const first = await storage.load()
  expect(offsets(first)).toBe('2@1 3@1')
  expect(first.ok && first.value.snapshot?.bytes.length).toBe(2_500_000)
  await storage.write(writeOf({ snapshot: { ...id, offset: 4 as Offset, bytes: small } }))
  const second = await storage.load()
  expect(second.ok && second.value.snapshot).toEqual({ offset: 4, epoch: 1, bytes: small })
})

test('a snapshot from the leader replaces the whole log', async () => {
  const storage = await opened(new MemoryKeyValueStore())
  await storage.write(writeOf({ entries: [0, 1, 2, 3, 4].map((offset) => entry(offset, 1)) }))
  const logStart = { offset: 3 as Offset, previousEpoch: 2 as LeaderEpoch }
  const snapshot = { offset: 3 as Offset, epoch: 2 as LeaderEpoch, bytes: Buffer.from('s') }
  await storage.write(writeOf({ snapshot, logStart, truncateTo: 3 as Offset, entries: [entry(3, 6)] }))
  expect(offsets(await storage.load())).toBe('3@6')
})

test('every single damaged byte is found, and so are missing, misplaced and unknown values', async () => {
  const store = new MemoryKeyValueStore()
  const storage = await opened(store)
  const snapshot = { offset: 1 as Offset, epoch: 1 as LeaderEpoch, bytes: Buffer.from('state') }
  const logStart = { offset: 1 as Offset, previousEpoch: 1 as LeaderEpoch }
  await storage.write(writeOf({ hardState, snapshot, logStart, entries: [entry(1, 1), entry(2, 1)] }))
  const reload = async (content: ReadonlyMap<string, Uint8Array>): Promise<boolean> => {
    const reopened = await RaftStorage.open(new MemoryKeyValueStore({}, {}, content), identity)
    return reopened.ok && (await reopened.value.load()).ok
  }
  const content = [...store.content]
  expect(await reload(store.content)).toBe(true)
  for (const [key, value] of content) {
    for (let at = 0; at < value.length; at++) {
      const damaged = Uint8Array.from(value)
      damaged[at]! ^= 1
      expect([key, at, await reload(new Map([...content, [key, damaged]]))]).toEqual([key, at, false])
    }
  }
  const keyOf = (offset: number): string => `raft/log/${String(offset).padStart(16, '0')}`
  expect(await reload(new Map(content.filter(([key]) => key !== keyOf(1))))).toBe(false)
  expect(await reload(new Map([...content, [keyOf(2), store.content.get(keyOf(1))!]]))).toBe(false)
})

test('the store of another cluster or node is refused', async () => {
  const store = new MemoryKeyValueStore()
  await opened(store)
  expect(await RaftStorage.open(store, { clusterId: 'c', nodeId: 2 })).toEqual({ ok: false, error: { kind: 'foreign', found: identity } })
  expect((await RaftStorage.open(store, { clusterId: 'd', nodeId: 1 })).ok).toBe(false)
})

test('the same over LevelDB, across a reopen', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'raft-storage-'))
  try {
    const first = await LevelStore.open(directory)
    const storage = await opened(first)
    await storage.write(writeOf({ hardState, entries: [0, 1, 2].map((offset) => entry(offset, 1)) }))
    await storage.write(writeOf({ truncateTo: 1 as Offset, entries: [entry(1, 2), entry(2, 2)] }))
    await first.close()
    const second = await LevelStore.open(directory)
    const loaded = await (await opened(second)).load()
    expect(offsets(loaded)).toBe('0@1 1@2 2@2')
    expect(loaded.ok && loaded.value.hardState).toEqual(hardState)
    await second.close()
  } finally {
    rmSync(directory, { recursive: true })
  }
})
