import type { StageContext } from './context.ts'
import type { Draining } from './draining.ts'
import type { UpstreamLink } from './links.ts'
import type { ProducingSettings } from './producer-side.ts'
import type { Address, Reply } from './protocol.ts'
import type { Reason } from './reason.ts'
import type { RuntimeCore } from './runtime.ts'
import type { Guardian, Supervising, SupervisingHost } from './supervision/roles.ts'
import type { StageType } from './types.ts'

/** A subscription that is asked for, checked: what, how, and in place of which other. */
export interface SubscriptionRequest {
  readonly target: { readonly address: Address; readonly name: string | undefined }
  readonly options: Readonly<Record<string, unknown>>
  readonly current: { readonly link: UpstreamLink; readonly reason: Reason } | undefined
}

/** A stage to be, with everything checked. */
export interface StagePlan {
  readonly type: StageType
  readonly setup: (arg: unknown, ctx: unknown) => unknown
  readonly arg: unknown
  readonly name: string | undefined
  readonly runtime: RuntimeCore
  /** Of a producer and a stage in the middle. */
  readonly producing: ProducingSettings | undefined
  readonly signal: AbortSignal | undefined
  readonly startTimeout: number | undefined
  /** Of a stage with children: makes the one who looks after them. */
  readonly supervising?: ((host: SupervisingHost) => Supervising) | undefined
  /** Of a child of a supervisor. */
  readonly guardian?: Guardian | undefined
}

/**
 * What makes a stage end: something threw; the stage itself wants to; it lost a subscription, to nobody or to a producer that lives
 * on; somebody outside asked for it; another stage ended, and has told why itself. A failure of the first three kinds is raised if
 * nobody watches.
 */
export type Cause = 'crash' | 'own' | 'orphaned' | 'asked' | 'followed'

/** Why the stage is about to end. */
export interface Ending {
  readonly reason: Reason
  readonly cause: Cause
}

/** What only few stages ever have, so that an idle one costs little (WL-11). */
export class Extras {
  /** Set once the callbacks use timers, watches or signals of theirs. */
  context: StageContext | undefined
  /** Calls that have not been answered: the end of the stage answers them. */
  unanswered: Set<Reply> | undefined
  /** Set while the stage finishes what is on its way before it ends. */
  draining: Draining | undefined
  deadline: Disposable | undefined
  deadlineAt: number = Infinity
  /** Takes the listener off the signal that was given to `start`. */
  unfollow: (() => void) | undefined
  /** Stages that a failure of this one ends, and the other way round (GS-J4). */
  linked: Set<Linked> | undefined
  /** Looks after its children, if it may have any. */
  supervising: Supervising | undefined
  /** The supervisor that started it, if one did. */
  guardian: Guardian | undefined
  /** To be called at the end, by whoever wants to know of it without being one who watches. */
  atEnd: Set<() => void> | undefined
}

/** What becomes of events that an ended stage had not handled. */
export type Loss = 'crash' | 'killed' | 'stopped'

/** Where a stage is in its life. */
export type Phase = 'starting' | 'running' | 'terminating' | 'ended'

/** A stage that is linked to another. */
export interface Linked {
  unlink(other: Linked): void
  /** The other one has failed. */
  failWith(reason: Reason): void
}

/** What becomes of events that a stage which ends like this had not handled. */
export function lossKind({ reason, cause }: Ending): Loss {
  if (cause === 'crash') return 'crash'
  return reason.type === 'killed' ? 'killed' : 'stopped'
}

/** Whether it is what platform functions reject with when their signal is aborted. */
export function isAbortError(error: unknown): boolean {
  try {
    return typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError'
  } catch {
    return false // something that throws when it is looked at
  }
}
