import { type ErrorCode, GenStageError, type Reason } from '@genstage/core'
import { show } from '@genstage/core/adapters'

/** Something thrown, as it crosses a port: the structured clone of an error would lose its class, its name and its code. */
export type WireError =
  { readonly kind: 'error'; readonly error: ErrorFields } | { readonly kind: 'value'; readonly value: unknown }

interface ErrorFields {
  /** The class to make it of again. */
  readonly made: string
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly code: unknown
  readonly cause: WireError | undefined
  /** Of an `AggregateError`. */
  readonly errors: readonly WireError[]
  /** Of a `GenStageError`. */
  readonly stage: string | undefined
  readonly option: string | undefined
  readonly reason: WireReason | undefined
}

/** A reason, as it crosses a port. */
export type WireReason =
  | { readonly type: 'error'; readonly error: WireError }
  | { readonly type: 'shutdown'; readonly detail: unknown }
  | { readonly type: 'other'; readonly value: unknown }
  | { readonly type: 'normal' | 'killed' | 'noproc' | 'noconnection' }

/** The classes that every thread has, the plainest last. */
const nativeErrors = [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, Error]

/** Causes below causes. A longer chain is cut, so that one that bites its own tail has an end. */
const deepest = 8

/** What was thrown, made ready to cross. It may be anything, also something that throws when it is looked at (F12). */
export function wireError(thrown: unknown, depth: number = 0): WireError {
  try {
    return thrown instanceof Error
      ? { kind: 'error', error: fieldsOf(thrown, depth) }
      : { kind: 'value', value: crossable(thrown) }
  } catch {
    return { kind: 'value', value: 'an error that cannot be read' }
  }
}

function fieldsOf(error: Error, depth: number): ErrorFields {
  const inside = <Part, Wire>(part: Part | undefined, wire: (part: Part, depth: number) => Wire): Wire | undefined =>
    part === undefined || depth >= deepest ? undefined : wire(part, depth + 1)
  const own = error instanceof GenStageError ? error : undefined
  const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : []
  return {
    made: classOf(error),
    name: error.name,
    message: error.message,
    stack: error.stack,
    code: 'code' in error ? crossable(error.code) : undefined,
    cause: inside(error.cause, wireError),
    errors: errors.flatMap(each => inside(each, wireError) ?? []),
    stage: own?.stage,
    option: own?.option,
    reason: inside(own?.reason, wireReason),
  }
}

function classOf(error: Error): string {
  if (error instanceof GenStageError) return 'GenStageError'
  if (error instanceof DOMException) return 'DOMException'
  if (error instanceof AggregateError) return 'AggregateError'
  return nativeErrors.find(each => error instanceof each)?.name ?? 'Error'
}

/** What was thrown on the other side: an error of the same class where both sides have it, with its name, message, stack, cause and code. */
export function thrownFrom(wire: WireError): unknown {
  if (wire.kind === 'value') return wire.value
  const { name, stack, code } = wire.error
  const error = remade(wire.error)
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true })
  if (code !== undefined && !('code' in error)) Object.assign(error, { code })
  return error
}

function remade({ made, name, message, code, cause, errors, stage, option, reason }: ErrorFields): Error {
  const options = cause === undefined ? undefined : { cause: thrownFrom(cause) }
  switch (made) {
    case 'GenStageError': {
      const details = { stage, option, reason: reason && reasonFrom(reason), cause: options?.cause }
      return new GenStageError(code as ErrorCode, message, details)
    }
    case 'DOMException':
      return new DOMException(message, name)
    case 'AggregateError':
      return new AggregateError(errors.map(thrownFrom), message, options)
    default: {
      const Native = nativeErrors.find(each => each.name === made) ?? Error
      return new Native(message, options)
    }
  }
}

/** A reason, made ready to cross. */
export function wireReason(reason: Reason, depth: number = 0): WireReason {
  switch (reason.type) {
    case 'error':
      return { type: 'error', error: wireError(reason.error, depth) }
    case 'shutdown':
      return { type: 'shutdown', detail: crossable(reason.detail) }
    case 'other':
      return { type: 'other', value: crossable(reason.value) }
    default:
      return { type: reason.type }
  }
}

/** A reason of the other side. */
export function reasonFrom(wire: WireReason): Reason {
  return wire.type === 'error' ? { type: 'error', error: thrownFrom(wire.error) } : wire
}

/** A value as it is, or, if it cannot cross, as messages show it. */
export function crossable(value: unknown): unknown {
  return isCloneable(value) ? value : show(value)
}

export function isCloneable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function' && typeof value !== 'symbol'
  try {
    structuredClone(value)
    return true
  } catch {
    return false
  }
}
