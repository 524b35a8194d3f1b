import type { Clock, Logger, Runtime } from '@genstage/core'
import type { JobClient } from '../job-client.ts'
import type { Middleware } from '../job-context.ts'
import type { JobEventBus } from '../events.ts'
import type { KindRegistry } from '../kind-registry.ts'
import type { RunnerSettings } from '../runner-options.ts'
import type { Store } from '../store.ts'
import type { StoreHealth } from './store-health.ts'
import type { Reporter } from './reporter.ts'
import type { Suspects } from './suspects.ts'

/** What the parts of one runner share. */
export interface EngineContext {
  readonly runtime: Runtime
  readonly clock: Clock
  readonly logger: Logger
  readonly store: Store
  readonly events: JobEventBus
  readonly settings: RunnerSettings
  readonly kinds: KindRegistry
  /** Names of the kinds that have a handler here. */
  readonly handled: readonly string[]
  readonly middleware: readonly Middleware[]
  readonly reporter: Reporter
  readonly suspects: Suspects
  /** Kinds and versions of args that are too new for this runner, once it was told. */
  readonly tooNew: Set<string>
  /** For handlers that enqueue. */
  readonly client: JobClient
  /** Unique in the process; it stays. */
  readonly instance: string
  /** The id under which the runner is registered now: a new one after it was taken for dead. */
  readonly runner: string
  /** The runner may have been taken for dead: nothing is begun until a beat has got through. */
  readonly isLeaseInDoubt: boolean
  /** A call of the store failed, or works again. */
  readonly storeHealth: StoreHealth
  /** The store may believe that this runner holds jobs it knows nothing of: the answer to a claim got lost. */
  doubtHoldings(): void
  /** A claim was answered. */
  jobsCame(): void
}
