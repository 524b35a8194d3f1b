import { failureError, toFailure } from '../failure.ts'
import { cancel, discard, type Outcome, retry, snooze } from '../outcome.ts'
import type { Failure } from '../store.ts'

/**
 * Something thrown, as it crosses: what is stored of it anyway. The structured clone of an error would lose its code and, for many, its
 * name, and fails for what is no error.
 */
export interface WireThrown {
  readonly failure: Failure
  /** The class of the language it is of, so that a back-off can tell a `TypeError`. */
  readonly native: string
}

/** An outcome, as it crosses: the mark by which it is known is a symbol, which does not. */
export type WireOutcome =
  | { readonly type: 'retry'; readonly inMs: number | undefined; readonly error: WireThrown | undefined }
  | { readonly type: 'snooze'; readonly inMs: number }
  | { readonly type: 'discard' | 'cancel'; readonly reason: string }

/** The classes that every thread has, the plainest last. */
const natives = [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, Error]

/** What was thrown, made ready to cross. It may be anything; this never throws. */
export function wireThrown(thrown: unknown): WireThrown {
  const native = natives.find(each => isA(thrown, each)) ?? Error
  return { failure: toFailure(thrown), native: native.name }
}

/** What was thrown on the other side: an error with its name, message, code and stack, in which its causes are told. */
export function thrownFrom({ failure, native }: WireThrown): Error {
  const error = failureError(failure)
  const { prototype } = natives.find(each => each.name === native) ?? Error
  return Object.setPrototypeOf(error, prototype) as Error
}

/** An outcome, made ready to cross. */
export function wireOutcome(outcome: Outcome): WireOutcome {
  switch (outcome.type) {
    case 'retry':
      return {
        type: 'retry',
        inMs: outcome.inMs,
        error: outcome.error === undefined ? undefined : wireThrown(outcome.error),
      }
    case 'snooze':
      return { type: 'snooze', inMs: outcome.inMs }
    case 'discard':
    case 'cancel':
      return { type: outcome.type, reason: outcome.reason }
  }
}

/** The outcome that the other side returned. */
export function outcomeFrom(wire: WireOutcome): Outcome {
  switch (wire.type) {
    case 'retry':
      return retry({
        ...(wire.inMs === undefined ? {} : { inMs: wire.inMs }),
        ...(wire.error === undefined ? {} : { error: thrownFrom(wire.error) }),
      })
    case 'snooze':
      return snooze(wire.inMs)
    case 'discard':
      return discard(wire.reason)
    case 'cancel':
      return cancel(wire.reason)
  }
}

function isA(thrown: unknown, type: ErrorConstructor): boolean {
  try {
    return thrown instanceof type
  } catch {
    return false
  }
}
