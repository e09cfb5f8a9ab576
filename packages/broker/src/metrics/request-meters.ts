/** `kafka_network_requestmetrics_*`: rate, errors and times of requests by API. */
import type { Counter, CounterFamily, Metrics, Summary, SummaryFamily } from '@kavka/kernel'
import { ApiKey, errorName } from '@kavka/protocol'
import type { ApiDescription } from '@kavka/protocol'

const QUANTILES = [0.5, 0.75, 0.95, 0.98, 0.99, 0.999]
const VERSIONS_MAX = 64

/** The series of one API and version, fetched once. */
export interface ApiMeter {
  /** Monotonic milliseconds: read from the socket, handed to the handler, the handler returned, the reply went to the socket. */
  observe(acceptedMs: number, startedMs: number, localDoneMs: number, repliedMs: number): void
  /** Codes other than NONE; an empty list counts as one NONE. */
  countErrors(codes: readonly number[]): void
}

interface Times {
  readonly total: Summary
  readonly requestQueue: Summary
  readonly local: Summary
  readonly remote: Summary
}

export class RequestMeters {
  readonly #requests: CounterFamily
  readonly #errors: CounterFamily
  readonly #families: Readonly<Record<keyof Times, SummaryFamily>>
  readonly #meters: (ApiMeter | undefined)[] = []

  constructor(metrics: Metrics) {
    const prefix = 'kafka_network_requestmetrics'
    const time = (name: string, help: string): SummaryFamily =>
      metrics.summary({ name: `${prefix}_${name}`, help, labels: ['request'], quantiles: QUANTILES })
    this.#requests = metrics.counter({
      name: `${prefix}_requests_total`, help: 'Requests by API and version.', labels: ['request', 'version'],
    })
    this.#errors = metrics.counter({
      name: `${prefix}_errors_total`, help: 'Error codes in responses; NONE for a response without any.', labels: ['request', 'error'],
    })
    this.#families = {
      total: time('totaltimems', 'From the last byte of the request to its reply, milliseconds.'),
      requestQueue: time('requestqueuetimems', 'Wait before the request was started, milliseconds.'),
      local: time('localtimems', 'Time in the handler before it waited for anything, milliseconds.'),
      remote: time('remotetimems', 'Time parked or waiting for other nodes, milliseconds.'),
    }
  }

  of(api: ApiDescription, version: number): ApiMeter {
    const index = api.key * VERSIONS_MAX + Math.min(VERSIONS_MAX - 1, Math.max(0, version))
    return (this.#meters[index] ??= this.#create(api, version))
  }

  /** Fetch is counted under its own name and as FetchConsumer: followers do not come this way. */
  #create(api: ApiDescription, version: number): ApiMeter {
    const names = api.key === ApiKey.Fetch ? [api.name, 'FetchConsumer'] : [api.name]
    const requests = names.map((name) => this.#requests.child(name, String(version)))
    const times = names.map((name) => this.#timesOf(name))
    const none = names.map((name) => this.#errors.child(name, 'NONE'))
    return {
      observe: (accepted, started, localDone, replied) => {
        for (const counter of requests) counter.add()
        for (const time of times) observeAll(time, accepted, started, localDone, replied)
      },
      countErrors: (codes) => {
        if (codes.length === 0) for (const counter of none) counter.add()
        else for (const code of codes) this.#countError(names, code)
      },
    }
  }

  #countError(names: readonly string[], code: number): void {
    for (const name of names) (this.#errors.child(name, errorName(code)) satisfies Counter).add()
  }

  #timesOf(name: string): Times {
    const { total, requestQueue, local, remote } = this.#families
    return { total: total.child(name), requestQueue: requestQueue.child(name), local: local.child(name), remote: remote.child(name) }
  }
}

function observeAll(times: Times, accepted: number, started: number, localDone: number, replied: number): void {
  const localEnd = localDone > 0 ? localDone : replied
  times.total.observe(replied - accepted)
  times.requestQueue.observe(started - accepted)
  times.local.observe(localEnd - started)
  times.remote.observe(replied - localEnd)
}
