import type { UpstreamLink } from './links.ts'
import type { ProducingSettings } from './serving.ts'
import type { Address } from './protocol.ts'
import type { Reason } from './reason.ts'
import type { RuntimeCore } from './runtime.ts'
import type { Guardian, Supervising, SupervisingHost } from './supervision/roles.ts'
import type { StageType } from './types.ts'

/** A stage to be, with everything checked. */
export interface StagePlan {
  readonly type: StageType
  readonly setup: (arg: unknown, ctx: unknown) => unknown
  readonly arg: unknown
  readonly name: string | undefined
  readonly runtime: RuntimeCore
  /** Of a producer and a stage in the middle. */
  readonly producing: ProducingSettings | undefined
  readonly startTimeout: number | undefined
  /** Of a stage with children: makes the one who looks after them. */
  readonly supervising?: ((host: SupervisingHost) => Supervising) | undefined
  /** Of a child of a supervisor. */
  readonly guardian?: Guardian | undefined
}

/** A subscription that is asked for, checked: what, how, and in place of which other. */
export interface SubscriptionRequest {
  readonly target: { readonly address: Address; readonly name: string | undefined }
  readonly options: Readonly<Record<string, unknown>>
  readonly current: { readonly link: UpstreamLink; readonly reason: Reason } | undefined
}
