import type { ConfigResourceKey, ConfigResourceType } from '../image.ts'
import { resourceKey } from '../image.ts'
import type { PersistentMap } from '../persistent-map.ts'
import type { ConfigRecord } from '../records.ts'

type Overrides = ReadonlyMap<string, string>

/** Replays config overrides. A resource without any is absent. */
export class ConfigsDelta {
  #configs: PersistentMap<ConfigResourceKey, Overrides>
  readonly #changed = new Set<ConfigResourceKey>()

  constructor(base: ReadonlyMap<ConfigResourceKey, Overrides>) {
    this.#configs = base as PersistentMap<ConfigResourceKey, Overrides>
  }

  replay({ resourceType, resourceName, name, value }: ConfigRecord): void {
    const key = resourceKey(resourceType, resourceName)
    const overrides = new Map(this.#configs.get(key))
    if (value === null) overrides.delete(name)
    else overrides.set(name, value)
    this.#configs = overrides.size === 0 ? this.#configs.delete(key) : this.#configs.set(key, overrides)
    this.#changed.add(key)
  }

  removeResource(type: ConfigResourceType, name: string): void {
    const key = resourceKey(type, name)
    if (!this.#configs.has(key)) return
    this.#configs = this.#configs.delete(key)
    this.#changed.add(key)
  }

  finish(): { configs: ReadonlyMap<ConfigResourceKey, Overrides>; changed: ReadonlySet<ConfigResourceKey> } {
    return { configs: this.#configs, changed: this.#changed }
  }
}
