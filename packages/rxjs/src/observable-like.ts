import { GenStageError } from '@genstage/core'
import { show } from '@genstage/core/adapters'
import type { Observable } from 'rxjs'

/** What an observable speaks to. */
export interface ObserverLike<in T> {
  next(event: T): void
  error(error: unknown): void
  complete(): void
}

/** Anything with `subscribe` as rxjs, zen-observable, and the coming native Observable have it. */
export interface SubscribableLike<out T> {
  subscribe(observer: ObserverLike<T>): { unsubscribe(): void } | (() => void) | void
}

/** Anything that answers an observable when it is asked by `Symbol.observable`, as stores and streams of other libraries do. */
export interface ObservableInterop<out T> {
  [Symbol.observable](): SubscribableLike<T>
}

/** What is taken for an observable: one of rxjs, of any copy and version, or whatever keeps to the same two conventions. */
export type ObservableLike<T> = Observable<T> | ObservableInterop<T> | SubscribableLike<T>

/** The two names under which `Symbol.observable` goes: the symbol, where somebody has defined it, and the text that stands for it. */
const interopKeys: readonly PropertyKey[] = [
  ...(typeof Symbol.observable === 'symbol' ? [Symbol.observable] : []),
  '@@observable',
]

/** Whether it could be an observable: what `Symbol.observable` answers is seen only when it is called. */
export function isObservableLike<T>(value: unknown): value is ObservableLike<T> {
  return typeof value === 'object' && value !== null && (hasSubscribe(value) || interopMethod(value) !== undefined)
}

/**
 * Subscribes to `source`, and answers how to unsubscribe. Throws `BAD_SOURCE`, about `what`, if it is no observable.
 * `Symbol.observable` comes first: a store may have a `subscribe` of its own that means something else.
 */
export function subscribeTo<T>(source: ObservableLike<T>, observer: ObserverLike<T>, what: string): () => void {
  if (!isObservableLike<T>(source)) throw notObservable(what, source)
  const observable = interopMethod(source)?.call(source) ?? source
  if (typeof observable !== 'object' || observable === null || !hasSubscribe<T>(observable)) throw notObservable(what, observable)
  const subscription = observable.subscribe(observer)
  if (typeof subscription === 'function') return subscription
  return () => subscription?.unsubscribe()
}

export function notObservable(what: string, value: unknown): GenStageError {
  return new GenStageError('BAD_SOURCE', `${what} must have a method subscribe or Symbol.observable: this is ${show(value)}`)
}

function hasSubscribe<T>(value: object): value is SubscribableLike<T> {
  return 'subscribe' in value && typeof value.subscribe === 'function'
}

function interopMethod(value: object): ((this: unknown) => unknown) | undefined {
  for (const key of interopKeys) {
    const method = (value as Readonly<Record<PropertyKey, unknown>>)[key]
    if (typeof method === 'function') return method as (this: unknown) => unknown
  }
  return undefined
}
