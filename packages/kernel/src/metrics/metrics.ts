import type { MetricObjectWithValues, MetricValue, Registry } from 'prom-client'
import { assert } from '../assert.ts'
import { ValueRing } from './value-ring.ts'

/** Name, help and labels of a metric: declared once, where it is counted. */
export interface MetricSpec<L extends string = never> {
  /** As scraped; a counter's name ends in `_total`. */
  readonly name: string
  readonly help: string
  readonly labels?: readonly L[]
}

/** A number that only grows. Adding is a plain addition: nothing is hashed, text is built when someone scrapes. */
export interface Counter {
  add(n?: number): void
  readonly value: number
}

/** Counters of one name, told apart by label values. Fetch a child once and keep it. */
export interface CounterFamily {
  child(...labelValues: readonly string[]): Counter
  /** Forgets a child whose subject is gone (a deleted topic). */
  remove(...labelValues: readonly string[]): void
}

/** Keeps the last observations of a duration or size, for quantiles at scrape time. */
export interface Summary {
  observe(value: number): void
}

export interface SummaryFamily {
  child(...labelValues: readonly string[]): Summary
  remove(...labelValues: readonly string[]): void
}

/** One value of a gauge with its label values in the declared order. */
export type GaugeSample = readonly [value: number, ...labelValues: string[]]

/** The register of one node. Every name may be declared once. */
export interface Metrics {
  counter<L extends string = never>(spec: MetricSpec<L>): CounterFamily
  /** Asked on each scrape; nothing is kept between. */
  gauge<L extends string = never>(spec: MetricSpec<L> & { collect(): Iterable<GaugeSample> }): void
  /** A gauge whose established name breaks the naming rules for its type (`…_count`); exporters of Kafka leave those untyped. */
  untyped<L extends string = never>(spec: MetricSpec<L> & { collect(): Iterable<GaugeSample> }): void
  /** A counter that something else keeps: asked on each scrape. */
  observedCounter<L extends string = never>(spec: MetricSpec<L> & { collect(): Iterable<GaugeSample> }): void
  /** Quantiles over the last observations of each child, with a count and a sum since the start. */
  summary<L extends string = never>(spec: MetricSpec<L> & { readonly quantiles: readonly number[] }): SummaryFamily
  /** The whole register in Prometheus text format; the first scrape loads prom-client, so that a start does not wait for it. */
  text(): Promise<string>
  /** Content type of `text()`. */
  readonly contentType: string
  /** Adds prom-client's own `process_*` and `nodejs_*` series. */
  includeProcess(): void
}

/** A family never holds more children than this: labels come from clients, memory does not. */
const CHILDREN_MAX = 100_000

/** Of the text format 0.0.4, which prom-client writes. */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Gauges of prom-client whose names end like a counter's, which promtool objects to. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']

interface Declaration {
  readonly spec: MetricSpec<string>
  readonly kind: Kind
  readonly values: () => MetricValue<string>[]
}

/** Creates an empty register. */
export function createMetrics(): Metrics {
  const declarations = new Map<string, Declaration>()
  let withProcess = false
  let loading: Promise<Registry> | null = null
  const declare = (spec: MetricSpec<string>, kind: Kind, values: () => MetricValue<string>[]): void => {
    assert(!declarations.has(spec.name), 'a metric is declared once', { name: spec.name })
    assert(loading === null, 'a metric is declared before the first scrape', { name: spec.name })
    declarations.set(spec.name, { spec, kind, values })
  }
  return {
    contentType: CONTENT_TYPE,
    text: async () => {
      loading ??= registryOf(declarations.values(), withProcess)
      return (await loading).metrics()
    },
    includeProcess: () => {
      withProcess = true
    },
    counter: (spec) => {
      const family = new Children(spec, () => new PlainCounter())
      declare(spec, 'counter', () => family.samples((counter) => counter.value))
      return family
    },
    gauge: (spec) => declare(spec, 'gauge', () => labelled(spec, spec.collect())),
    untyped: (spec) => declare(spec, 'untyped', () => labelled(spec, spec.collect())),
    observedCounter: (spec) => declare(spec, 'counter', () => labelled(spec, spec.collect())),
    summary: (spec) => {
      const family = new Children(spec, () => new ValueRing())
      declare(spec, 'summary', () => [...summaryValues(spec, family)])
      return family
    },
  }
}

/** prom-client costs 50 ms and 20 MB, so it is loaded when someone wants to read. */
async function registryOf(declarations: Iterable<Declaration>, withProcess: boolean): Promise<Registry> {
  const { Registry, collectDefaultMetrics } = await import('prom-client')
  const registry = new Registry()
  for (const { spec, kind, values } of declarations) register(registry, spec, kind, values)
  if (withProcess) collectDefaultMetrics({ register: registry })
  for (const name of MISNAMED) registry.removeSingleMetric(name)
  return registry
}

class PlainCounter implements Counter {
  value = 0

  add(n = 1): void {
    this.value += n
  }
}

class Children<T> {
  readonly #labels: readonly string[]
  readonly #create: () => T
  readonly #children = new Map<string, { readonly labelValues: readonly string[]; readonly item: T }>()

  constructor(spec: MetricSpec<string>, create: () => T) {
    this.#labels = spec.labels ?? []
    this.#create = create
  }

  child(...labelValues: readonly string[]): T {
    assert(labelValues.length === this.#labels.length, 'label values do not fit the declaration', { labelValues })
    const key = labelValues.join('\u0000')
    const known = this.#children.get(key)
    if (known !== undefined) return known.item
    const item = this.#create()
    if (this.#children.size < CHILDREN_MAX) this.#children.set(key, { labelValues, item })
    return item
  }

  remove(...labelValues: readonly string[]): void {
    this.#children.delete(labelValues.join('\u0000'))
  }

  *entries(): Iterable<readonly [labels: Record<string, string>, item: T]> {
    for (const { labelValues, item } of this.#children.values()) yield [zip(this.#labels, labelValues), item]
  }

  samples(valueOf: (item: T) => number): MetricValue<string>[] {
    return Array.from(this.entries(), ([labels, item]) => ({ value: valueOf(item), labels }))
  }
}

function* summaryValues(
  spec: MetricSpec<string> & { readonly quantiles: readonly number[] },
  family: Children<ValueRing>,
): Iterable<MetricValue<string> & { metricName?: string }> {
  for (const [labels, ring] of family.entries()) {
    const quantiles = ring.quantiles(spec.quantiles)
    for (const [index, quantile] of spec.quantiles.entries()) {
      yield { value: quantiles[index]!, labels: { ...labels, quantile: String(quantile) } }
    }
    yield { metricName: `${spec.name}_sum`, value: ring.sum, labels }
    yield { metricName: `${spec.name}_count`, value: ring.count, labels }
  }
}

function labelled(spec: MetricSpec<string>, samples: Iterable<GaugeSample>): MetricValue<string>[] {
  return Array.from(samples, ([value, ...labelValues]) => ({ value, labels: zip(spec.labels ?? [], labelValues) }))
}

function zip(names: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, index) => [name, values[index]!]))
}

type Kind = 'counter' | 'gauge' | 'summary' | 'untyped'

/** prom-client asks a metric for its values through `get`; everything else about its own classes is left aside. */
function register(registry: Registry, spec: MetricSpec<string>, type: Kind, values: () => MetricValue<string>[]): void {
  const described = { name: spec.name, help: spec.help, type, aggregator: 'sum' as const }
  const metric = {
    name: spec.name,
    get: (): Promise<MetricObjectWithValues<MetricValue<string>>> =>
      Promise.resolve({ ...described, values: values() } as unknown as MetricObjectWithValues<MetricValue<string>>),
    reset: () => {},
  }
  registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0])
}
