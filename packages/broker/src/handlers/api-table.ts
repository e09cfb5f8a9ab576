/** Handlers of one listener role, bound to their services, by API key: what the dispatcher asks and ApiVersions is computed from. */
import { assert, assertPresent } from '@kavka/kernel'
import { apis } from '@kavka/protocol'
import type { ApiDescription } from '@kavka/protocol'
import type { ApiHandler, HandlerResult, RequestContext } from './handler.ts'

/** Any handler, its messages unseen: the table pairs each with the codecs of its key. */
export type AnyApiHandler<Services> = ApiHandler<unknown, unknown, Services>

export interface BoundHandler {
  readonly api: ApiDescription
  readonly versions: readonly [min: number, max: number]
  serves(apiVersion: number): boolean
  handle(request: unknown, context: RequestContext): HandlerResult<unknown> | Promise<HandlerResult<unknown>>
}

export interface ApiTable {
  handlerOf(apiKey: number): BoundHandler | null
  /** By ascending key. */
  readonly handlers: readonly BoundHandler[]
}

/** Checks that every handler is one of its API and role, once at start. */
export function createApiTable<Services>(
  role: 'broker' | 'controller',
  handlers: readonly AnyApiHandler<Services>[],
  services: Services,
): ApiTable {
  const byKey = new Map<number, BoundHandler>()
  for (const handler of handlers) {
    const bound = bind(role, handler, services)
    assert(!byKey.has(handler.apiKey), 'an API has one handler', { apiKey: handler.apiKey })
    byKey.set(handler.apiKey, bound)
  }
  const sorted = [...byKey.values()].toSorted((one, other) => one.api.key - other.api.key)
  return { handlerOf: (apiKey) => byKey.get(apiKey) ?? null, handlers: sorted }
}

function bind<Services>(
  role: 'broker' | 'controller',
  handler: AnyApiHandler<Services>,
  services: Services,
): BoundHandler {
  const api = assertPresent(apis.get(handler.apiKey), `API ${handler.apiKey} exists`)
  const [min, max] = handler.versions
  assert(min >= api.versions[0] && max <= api.versions[1], 'a handler serves versions that its codec has', { api: api.name })
  assert(api.listeners.includes(role), 'an API belongs to the listener', { api: api.name, role })
  return {
    api,
    versions: handler.versions,
    serves: (apiVersion) => apiVersion >= min && apiVersion <= max,
    handle: (request, context) => handler.handle(request, context, services),
  }
}
