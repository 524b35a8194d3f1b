/** Why a stage or a subscription ended. `normal` and `shutdown` are graceful, everything else is a failure (GS-J5). */
export type Reason =
  | { readonly type: 'normal' }
  | { readonly type: 'shutdown'; readonly detail?: unknown }
  | { readonly type: 'killed' }
  | { readonly type: 'noproc' }
  | { readonly type: 'noconnection' }
  | { readonly type: 'error'; readonly error: unknown }
  | { readonly type: 'other'; readonly value: unknown }

/** A reason as it may be written: the two common ones also as plain words. */
export type ReasonInput = Reason | 'normal' | 'shutdown'

/** The reason of a stage that finished. */
export const normal: Extract<Reason, { type: 'normal' }> = Object.freeze({ type: 'normal' })

const plainShutdown: Extract<Reason, { type: 'shutdown' }> = Object.freeze({ type: 'shutdown' })

/** The reason of a stage that was killed: it had no say in it. */
export const killed: Reason = Object.freeze({ type: 'killed' })

/** The reason of what was expected of a stage that is not there. */
export const noproc: Reason = Object.freeze({ type: 'noproc' })

/**
 * The reason of an orderly stop, with an optional detail for those who watch.
 *
 * ```ts
 * const reason = shutdown('queue is empty')
 * console.log(reason.detail) // => queue is empty
 * ```
 */
export function shutdown(detail?: unknown): Extract<Reason, { type: 'shutdown' }> {
  return detail === undefined ? plainShutdown : { type: 'shutdown', detail }
}

/** The reason of a stage whose code threw `error`. */
export function failure(error: unknown): Extract<Reason, { type: 'error' }> {
  return { type: 'error', error }
}

/**
 * True for `normal` and `shutdown`: the one test behind transient subscriptions and transient children (GS-K5, GS-J5).
 *
 * ```ts
 * console.log(isGraceful(shutdown()), isGraceful({ type: 'killed' })) // => true false
 * ```
 */
export function isGraceful(reason: Reason): boolean {
  return reason.type === 'normal' || reason.type === 'shutdown'
}

const reasonTypes: ReadonlySet<unknown> = new Set<Reason['type']>([
  'normal',
  'shutdown',
  'killed',
  'noproc',
  'noconnection',
  'error',
  'other',
])

/** The reason that was written, or undefined if it is none. */
export function reasonFrom(input: unknown): Reason | undefined {
  if (input === 'normal') return normal
  if (input === 'shutdown') return plainShutdown
  if (typeof input !== 'object' || input === null) return undefined
  return 'type' in input && reasonTypes.has(input.type) ? (input as Reason) : undefined
}
