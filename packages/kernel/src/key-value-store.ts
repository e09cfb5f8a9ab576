/** An ordered store of bytes by string key; implemented over `level` by the storage package, in memory by the test kit. */
export interface KeyValueStore {
  get(key: string): Promise<Uint8Array | null>
  /** All entries with `from <= key < to`, in key order. */
  range(from: string, to: string): Promise<ReadonlyArray<readonly [string, Uint8Array]>>
  /** Applies all writes atomically and durably: when it resolves they survive a power cut. */
  write(writes: readonly KeyValueWrite[]): Promise<void>
  close(): Promise<void>
}

export type KeyValueWrite =
  | { readonly kind: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: 'delete'; readonly key: string }
  /** Deletes every key with `from <= key < to`. */
  | { readonly kind: 'delete-range'; readonly from: string; readonly to: string }
