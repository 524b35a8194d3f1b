/**
 * `@genstage/rxjs`: stages and observables, both ways. To read the sources: observable-like.ts says what is taken for an observable;
 * from-observable.ts, as-observable.ts and to-observer.ts are the edges. through-operators.ts is the stage in the middle: the operators
 * and what is on its way through them in operator-chain.ts, its life as a stage in operator-stage.ts, with drain-hold.ts.
 */
export { fromObservable } from './from-observable.ts'
export type { FromObservableOptions, ObservableSource } from './from-observable.ts'
export type { ObservableInterop, ObservableLike, ObserverLike, SubscribableLike } from './observable-like.ts'
export { asObservable } from './as-observable.ts'
export type { AsObservableOptions } from './as-observable.ts'
export { toObserver } from './to-observer.ts'
export type { ObserverSource, ObserverTarget } from './to-observer.ts'
export { throughOperators } from './through-operators.ts'
export type { ThroughOperatorsOptions } from './through-operators.ts'
export type { DoneWhen, Operators } from './operator-chain.ts'
