import { defaultRuntime, type Logger, type Runtime } from '@genstage/core'
import { badOption, ownOptions, type OwnOptions, refuseUnknown } from '@genstage/core/adapters'
import type { Kind } from './kind.ts'
import { KindRegistry } from './kind-registry.ts'
import { millisecondsIn } from './numbers.ts'
import type { Store } from './store.ts'

/** Options of `openClient`, and of `startRunner` too. */
export interface ClientOptions {
  /** Where the jobs live: `sqliteStore(…)`, `memoryStore()`. */
  readonly store: Store
  /** The kinds that can be named by text, and, for a runner, those that it handles. Kinds without a handler can only be enqueued. Default none. */
  readonly kinds?: readonly Kind[]
  /** Where clock, chance and the stages come from. Default: that of the process. */
  readonly runtime?: Runtime
  /** Where lines of the log go; `console` fits. Default: the logger of the runtime. */
  readonly logger?: Logger
  /**
   * How often the store is asked anyway, whatever hints come: by a queue without work, and by who awaits a result. 1 to an hour;
   * default 2,000.
   */
  readonly pollMs?: number
}

/** The same, checked. */
export interface ClientSettings {
  readonly store: Store
  readonly kinds: KindRegistry
  readonly runtime: Runtime
  readonly logger: Logger
  readonly pollMs: number
}

/** What holds where nothing else is said. */
const defaultClientSettings: Pick<ClientSettings, 'pollMs'> = Object.freeze({ pollMs: 2000 })

/** Names of the options that `commonClientSettings` reads. */
export const clientOptions: readonly (keyof ClientOptions)[] = ['store', 'kinds', 'runtime', 'logger', 'pollMs']

/** Checks what `openClient` was given (`BAD_OPTION`). */
export function clientSettings(options: ClientOptions): ClientSettings {
  const own = ownOptions('openClient', options)
  refuseUnknown('openClient', own, clientOptions)
  return commonClientSettings('openClient', own)
}

/** Reads what clients and runners have in common. */
export function commonClientSettings(where: string, own: OwnOptions): ClientSettings {
  const runtime =
    withMembers<Runtime>(where, own, 'runtime', { clock: 'object', random: 'function' }, 'made by createRuntime') ??
    defaultRuntime
  const allowed = 'an object with the methods debug, info, warn, error'
  return {
    store: storeOf(where, own),
    kinds: new KindRegistry(where, own['kinds'] === undefined ? [] : own['kinds']),
    runtime,
    logger: withMembers<Logger>(where, own, 'logger', loggerMembers, allowed) ?? runtime.logger,
    pollMs: millisecondsIn(where, own, 'pollMs', defaultClientSettings.pollMs, 3_600_000),
  }
}

const loggerMembers = { debug: 'function', info: 'function', warn: 'function', error: 'function' }
/** Enough of them to know a store from a path or a connection. */
const storeMembers = {
  open: 'function',
  close: 'function',
  insert: 'function',
  claim: 'function',
  settle: 'function',
  heartbeat: 'function',
}

function storeOf(where: string, own: OwnOptions): Store {
  const allowed = 'a store: sqliteStore(…), memoryStore(), or an object with the methods of the interface Store'
  const store = withMembers<Store>(where, own, 'store', storeMembers, allowed)
  if (store === undefined) throw badOption(where, 'store', undefined, allowed)
  return store
}

/** An object whose members are of those types, or undefined where the option is absent. */
function withMembers<T>(
  where: string,
  own: OwnOptions,
  option: string,
  members: Readonly<Record<string, string>>,
  allowed: string,
): T | undefined {
  const value = own[option]
  if (value === undefined) return undefined
  const fits = (name: string): boolean => typeof (value as OwnOptions)[name] === members[name]
  if (typeof value === 'object' && value !== null && Object.keys(members).every(fits)) return value as T
  throw badOption(where, option, value, allowed)
}
