import {
  type AnyMessages,
  consumer,
  type Context,
  type DiscardReason,
  inFlight,
  producerConsumer,
  type ProducerConsumerDefinition,
  type Subscription,
} from '@genstage/core'
import type { Defined } from './load.ts'

/** What a stage on this thread has from the other side. */
export interface Life {
  readonly name: string | undefined
  readonly restartCount: number
  /** Aborted when the other side has been told to stop. */
  readonly stopping: AbortSignal
  discard(events: readonly unknown[], reason: DiscardReason | undefined): void
  /** The setup has answered with these callbacks. */
  begun(callbacks: readonly string[]): void
  /** `handleEvents` is done with this very array. Answers whether the results have been taken: if not, the stage emits them. */
  handled(events: readonly unknown[], results: readonly unknown[]): boolean
  /** `handleSubscribe` has answered. */
  subscribed(from: Subscription, answer: unknown): void
}

/**
 * The definition of the module as it is started on this thread: the same setup and the same callbacks. But the context tells what only
 * the other side knows, and the answers that the other side waits for are seen before the stage sees them.
 */
export function inLife(definition: Defined, life: Life): AnyDefinition {
  const define = (definition.type === 'consumer' ? consumer : producerConsumer) as DefineAnything
  return define(async (arg, ctx) => {
    const answer: unknown = await definition.setup(arg, contextOf(ctx, life))
    if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return answer
    const callbacks = boundCallbacks(answer)
    life.begun(Object.keys(callbacks))
    return { ...callbacks, ...watched(callbacks, life) }
  })
}

/** Either kind: a consumer has no more to do than a stage in the middle. */
type AnyDefinition = ProducerConsumerDefinition<unknown, unknown, unknown, AnyMessages>

/** The types of the definition were checked where the module was written. What the callbacks answer is checked by core, as ever. */
type DefineAnything = (setup: (arg: unknown, ctx: Context) => Promise<unknown>) => AnyDefinition

function contextOf(ctx: Context, life: Life): Context {
  return {
    self: ctx.self,
    name: life.name,
    restartCount: life.restartCount,
    stopping: AbortSignal.any([ctx.stopping, life.stopping]),
    signal: ctx.signal,
    stop: reason => ctx.stop(reason),
    after: (ms, message) => ctx.after(ms, message),
    every: (ms, message) => ctx.every(ms, message),
    monitor: stage => ctx.monitor(stage),
    discard: (events, reason) => life.discard(events, reason),
    clock: ctx.clock,
    logger: ctx.logger,
    runtime: ctx.runtime,
  }
}

type Callback = (...args: readonly unknown[]) => unknown

/** All that the answer of a setup can do, as a record: it may be an instance, with methods on its prototype and private fields. */
function boundCallbacks(answer: object): Record<string, unknown> {
  const callbacks: Record<string, unknown> = {}
  for (let owner: object | null = answer; owner !== null && owner !== Object.prototype; owner = prototypeOf(owner)) {
    for (const key of Object.getOwnPropertyNames(owner)) {
      if (key === 'constructor' || key in callbacks) continue
      const value: unknown = Reflect.get(answer, key)
      if (value !== undefined) callbacks[key] = isFunction(value) ? value.bind(answer) : value
    }
  }
  return callbacks
}

function prototypeOf(object: object): object | null {
  return Object.getPrototypeOf(object) as object | null
}

function isFunction(value: unknown): value is Callback {
  return typeof value === 'function'
}

/** The two callbacks for whose answers the other side waits. */
function watched({ handleEvents, handleSubscribe }: Record<string, unknown>, life: Life): Record<string, unknown> {
  const watching: Record<string, unknown> = {}
  if (isFunction(handleEvents)) {
    watching['handleEvents'] = (events: readonly unknown[], from: Subscription): unknown => {
      const take = (results: unknown): unknown => {
        if (results !== undefined && !Array.isArray(results)) return results // core refuses it
        return life.handled(events, results ?? []) ? undefined : results
      }
      const answer = handleEvents(events, from)
      if (isThenable(answer)) return answer.then(take)
      return isInFlight(answer) ? inFlight(settled(answer).then(take)) : take(answer)
    }
  }
  if (isFunction(handleSubscribe)) {
    watching['handleSubscribe'] = (from: Subscription): unknown => {
      const note = (answer: unknown): unknown => {
        life.subscribed(from, answer)
        return answer
      }
      const answer = handleSubscribe(from)
      return isThenable(answer) ? answer.then(note) : note(answer)
    }
  }
  return watching
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** What `inFlight` makes, by its shape: the module may have another copy of core than this one. */
interface Settling {
  settled(done: (result: unknown) => void, failed: (error: unknown) => void): void
}

function isInFlight(value: unknown): value is Settling {
  return typeof value === 'object' && value !== null && 'settled' in value && isFunction(value.settled)
}

function settled(work: Settling): Promise<unknown> {
  return new Promise((done, failed) => work.settled(done, failed))
}
