/**
 * What the core takes from the machine it runs on, in one place. Node and browsers differ in little: an event loop is let
 * through by `setImmediate` on Node and by a `MessageChannel` turn in browsers (where `setImmediate` does not exist), and a
 * timer of Node keeps its process alive unless told not to.
 */
interface Platform {
  readonly setTimeout: (callback: () => void, ms: number) => unknown
  readonly clearTimeout: (timer: unknown) => void
  readonly setInterval: (callback: () => void, ms: number) => unknown
  readonly clearInterval: (timer: unknown) => void
  readonly setImmediate?: (callback: () => void) => unknown
}

const platform = globalThis as unknown as Platform

/** The longest delay that timers of the platform take: above it they fire at once. */
const longestTimer = 2 ** 31 - 1

/** Calls back once after `ms`, without keeping a process alive. */
export function startTimer(ms: number, callback: () => void): Disposable {
  let timer: unknown
  const arm = (left: number): void => {
    timer = platform.setTimeout(() => (left > longestTimer ? arm(left - longestTimer) : callback()), Math.min(left, longestTimer))
    unref(timer)
  }
  arm(ms)
  return { [disposeSymbol]: () => platform.clearTimeout(timer) } as Disposable
}

/** Keeps the process alive until disposed. */
export function holdProcess(): Disposable {
  const timer = platform.setInterval(() => {}, longestTimer)
  return { [disposeSymbol]: () => platform.clearInterval(timer) } as Disposable
}

/** Runs `work` after timers and I/O have had their turn. */
export const afterEventLoop: (work: () => void) => void =
  platform.setImmediate === undefined ? messageTurns() : work => void platform.setImmediate?.(work)

function messageTurns(): (work: () => void) => void {
  const waiting: (() => void)[] = []
  const channel = new MessageChannel()
  channel.port1.onmessage = () => waiting.shift()?.()
  return work => {
    waiting.push(work)
    channel.port2.postMessage(undefined)
  }
}

function unref(timer: unknown): void {
  if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function') timer.unref()
}

/** `Symbol.dispose` and `Symbol.asyncDispose`, also where the platform does not have them yet. */
export const disposeSymbol: typeof Symbol.dispose = (Symbol.dispose ?? Symbol.for('Symbol.dispose')) as typeof Symbol.dispose
export const asyncDisposeSymbol: typeof Symbol.asyncDispose = (Symbol.asyncDispose ??
  Symbol.for('Symbol.asyncDispose')) as typeof Symbol.asyncDispose
