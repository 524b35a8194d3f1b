/** `Symbol.dispose` and `Symbol.asyncDispose`, also where the platform does not have them yet. */
export const disposeSymbol: typeof Symbol.dispose = (Symbol.dispose ?? Symbol.for('Symbol.dispose')) as typeof Symbol.dispose
export const asyncDisposeSymbol: typeof Symbol.asyncDispose = (Symbol.asyncDispose ??
  Symbol.for('Symbol.asyncDispose')) as typeof Symbol.asyncDispose

/** Calls a timer off, if there is one. */
export function clearTimer(timer: Disposable | undefined): void {
  timer?.[disposeSymbol]()
}
