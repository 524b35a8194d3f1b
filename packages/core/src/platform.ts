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
  readonly process?: {
    getBuiltinModule?(name: string): unknown
    on?(signal: string, listener: () => void): unknown
    off?(signal: string, listener: () => void): unknown
  }
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

/** A named channel of the process: whoever wants to, subscribes to it by its name. */
export interface DiagnosticsChannel {
  readonly hasSubscribers: boolean
  publish(message: unknown): void
}

/** The channel of that name, where the platform has such a thing: Node from 20.16. An import would not load in browsers. */
export function diagnosticsChannel(name: string): DiagnosticsChannel | undefined {
  const diagnostics = platform.process?.getBuiltinModule?.('node:diagnostics_channel') as
    { channel(name: string): DiagnosticsChannel } | undefined
  return diagnostics?.channel(name)
}

/** Listens to signals of the process, where there are such: not in browsers. Answers how to end that. */
export function onSignals(signals: readonly string[], listener: () => void): () => void {
  const { process } = platform
  for (const signal of signals) process?.on?.(signal, listener)
  return () => {
    for (const signal of signals) process?.off?.(signal, listener)
  }
}

function unref(timer: unknown): void {
  if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function') timer.unref()
}

/** `Symbol.dispose` and `Symbol.asyncDispose`, also where the platform does not have them yet. */
export const disposeSymbol: typeof Symbol.dispose = (Symbol.dispose ?? Symbol.for('Symbol.dispose')) as typeof Symbol.dispose
export const asyncDisposeSymbol: typeof Symbol.asyncDispose = (Symbol.asyncDispose ??
  Symbol.for('Symbol.asyncDispose')) as typeof Symbol.asyncDispose
