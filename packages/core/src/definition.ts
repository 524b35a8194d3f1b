import type { ConsumerCallbacks, Context, ProducerCallbacks, ProducerConsumerCallbacks } from './callbacks.ts'
import type { DispatcherFactory } from './dispatcher.ts'
import type {
  AnyMessages,
  ConsumerRef,
  Messages,
  NameFor,
  ProducerConsumerRef,
  ProducerRef,
  Runtime,
  Source,
  StageRef,
  SubscribeOptions,
} from './refs.ts'
import { GenStageError, show } from './errors.ts'
import type { DemandMode, ignore, StageType } from './types.ts'

/**
 * Makes fresh state and returns the callbacks over it. A restart runs it again. A class instance with these methods is fine.
 * (A real `Promise` and not any thenable: that is what lets the reply of an asynchronous `handleCall` be inferred through it.)
 */
export type Setup<in Arg, in Ctx, out Callbacks> = (
  arg: Arg,
  ctx: Ctx,
) => Callbacks | typeof ignore | Promise<Callbacks | typeof ignore>

declare const starts: unique symbol

/** An inert description of something `start` can start: which argument it takes, which options, which ref it gives. */
export interface Definition<in Arg, in Options, out Ref> {
  readonly type: StageType
  readonly [starts]: (arg: Arg, options: Options) => Ref
}

export interface ProducerDefinition<out Out, in Arg = void, out M extends Messages = Messages> extends Definition<
  Arg,
  ProducerOptions<Out>,
  ProducerRef<Out, M>
> {}

export interface ConsumerDefinition<in In, in Arg = void, out M extends Messages = Messages> extends Definition<
  Arg,
  ConsumerOptions<In>,
  ConsumerRef<In, M>
> {}

export interface ProducerConsumerDefinition<in In, out Out, in Arg = void, out M extends Messages = Messages> extends Definition<
  Arg,
  ProducerConsumerOptions<In, Out>,
  ProducerConsumerRef<In, Out, M>
> {}

/** What a definition is behind its types. */
export class StageDefinition {
  readonly type: StageType
  readonly setup: (arg: unknown, ctx: unknown) => unknown
  /** The buffer of its stages, if a start does not say otherwise; undefined for the default of their type. */
  readonly bufferSize: number | undefined

  constructor(type: StageType, setup: unknown, bufferSize?: number) {
    if (typeof setup !== 'function') {
      throw new GenStageError(
        'BAD_CALLBACKS',
        `${type}: the setup must be a function that returns the callbacks, not ${show(setup)}`,
      )
    }
    this.type = type
    this.setup = setup as StageDefinition['setup']
    this.bufferSize = bufferSize
  }
}

interface DefineProducer {
  <Out, Arg = void, Call = never, Reply = unknown, Cast = never, Info = never>(
    setup: Setup<Arg, Context, ProducerCallbacks<Out, Call, Reply, Cast, Info>>,
  ): ProducerDefinition<Out, Arg, Messages<Call, Reply, Cast, Info>>
  /** Writes the event type once, for unions and wider types: `producer.of<Shape>()(() => ({ … }))`. */
  of<Out>(): <Arg = void, Call = never, Reply = unknown, Cast = never, Info = never>(
    setup: Setup<Arg, Context<unknown, ProducerRef<Out, AnyMessages>>, ProducerCallbacks<Out, Call, Reply, Cast, Info>>,
  ) => ProducerDefinition<Out, Arg, Messages<Call, Reply, Cast, Info>>
}

interface DefineProducerConsumer {
  <In, Out, Arg = void, Call = never, Reply = unknown, Cast = never, Info = never>(
    setup: Setup<Arg, Context, ProducerConsumerCallbacks<In, Out, Call, Reply, Cast, Info>>,
  ): ProducerConsumerDefinition<In, Out, Arg, Messages<Call, Reply, Cast, Info>>
  /** Writes the event types once. */
  of<In, Out>(): <Arg = void, Call = never, Reply = unknown, Cast = never, Info = never>(
    setup: Setup<
      Arg,
      Context<unknown, ProducerConsumerRef<In, Out, AnyMessages>>,
      ProducerConsumerCallbacks<In, Out, Call, Reply, Cast, Info>
    >,
  ) => ProducerConsumerDefinition<In, Out, Arg, Messages<Call, Reply, Cast, Info>>
}

interface DefineConsumer {
  <In, Arg = void, Call = never, Reply = unknown, Cast = never, Info = never>(
    setup: Setup<Arg, Context, ConsumerCallbacks<In, Call, Reply, Cast, Info>>,
  ): ConsumerDefinition<In, Arg, Messages<Call, Reply, Cast, Info>>
  /** Writes the event type once. */
  of<In>(): <Arg = void, Call = never, Reply = unknown, Cast = never, Info = never>(
    setup: Setup<Arg, Context<unknown, ConsumerRef<In, AnyMessages>>, ConsumerCallbacks<In, Call, Reply, Cast, Info>>,
  ) => ConsumerDefinition<In, Arg, Messages<Call, Reply, Cast, Info>>
}

/** A way to define a kind of stage: plainly, or with `.of` and the event types written. */
function define(type: StageType): { (setup: unknown): StageDefinition; of(): (setup: unknown) => StageDefinition } {
  const withTypes = (setup: unknown): StageDefinition => new StageDefinition(type, setup)
  return Object.assign((setup: unknown) => new StageDefinition(type, setup), { of: () => withTypes })
}

/**
 * Defines a producer.
 *
 * ```ts
 * const Counter = producer((first: number) => {
 *   let next = first
 *   return { handleDemand: demand => Array.from({ length: demand }, () => next++) }
 * })
 * console.log(Counter.type) // => producer
 * ```
 */
export const producer: DefineProducer = /* @__PURE__ */ define('producer') as unknown as DefineProducer

/**
 * Defines a stage in the middle.
 *
 * ```ts
 * const Double = producerConsumer(() => ({
 *   handleEvents: (events: readonly number[]) => events.map(event => event * 2),
 * }))
 * console.log(Double.type) // => producerConsumer
 * ```
 */
export const producerConsumer: DefineProducerConsumer = /* @__PURE__ */ define(
  'producerConsumer',
) as unknown as DefineProducerConsumer

/**
 * Defines a consumer.
 *
 * ```ts
 * const Saver = consumer((save: (rows: readonly string[]) => Promise<void>) => ({
 *   handleEvents: (rows: readonly string[]) => save(rows),
 * }))
 * console.log(Saver.type) // => consumer
 * ```
 */
export const consumer: DefineConsumer = /* @__PURE__ */ define('consumer') as unknown as DefineConsumer

// ── options of a start

/** Options of everything that can be started. `arg` is there exactly if the setup function takes one. */
export type StartOptions<Arg, Ref extends StageRef> = BaseOptions<Ref> & ArgOption<Arg> & DispatcherOption<Ref>

export type ArgOption<Arg> = undefined extends Arg ? { readonly arg?: Arg } : { readonly arg: Arg }

/** The same `dispatcher` as in `ProducingOptions`, written so that the event type reaches a `hash` inside it. */
export interface DispatcherOption<Ref> {
  readonly dispatcher?: Ref extends ProducerRef<infer Out> ? DispatcherFactory<Out> : never
}

export interface BaseOptions<in Ref extends StageRef> {
  /** Unique in the runtime, free again when the stage ends. A plain string is for logs and look-up; a typed name can be subscribed to. */
  readonly name?: string | NameFor<NoInfer<Ref>>
  /** Default: `defaultRuntime`. */
  readonly runtime?: Runtime
  /** Stops the stage (`shutdown`) when aborted. */
  readonly signal?: AbortSignal
  /** A failure of either ends the other too (GS-J4). */
  readonly link?: StageRef
  /** Milliseconds after which a stage whose setup is not done is killed (`TIMEOUT`). Default: none; a warning is logged after 5,000. */
  readonly startTimeout?: number
}

/** Options of a producer. */
export interface ProducerOptions<in Out> extends ProducingOptions<Out> {
  /** Default `forward`. Start with `accumulate`, subscribe everybody, then `ref.setDemandMode('forward')` (GS-M7). */
  readonly demand?: DemandMode
}

export interface ProducingOptions<in Out> {
  /** Who gets which events. Default `demandDispatcher()`. */
  readonly dispatcher?: DispatcherFactory<Out>
  /** Events kept while nobody wants them; `Infinity` allowed. Default 10,000 for a producer, `Infinity` for a producer-consumer. */
  readonly bufferSize?: number
  /** Which end survives when the buffer is full. Default `last`: the newest. */
  readonly bufferKeep?: 'first' | 'last'
}

/** Options of a consumer. */
export interface ConsumerOptions<out In> {
  /** Producers to subscribe to, as refs, names, or either with subscription options. A bad one fails the start (X14). */
  readonly subscribeTo?: readonly (Source<In> | SubscribeOptions<In>)[]
}

export interface ProducerConsumerOptions<out In, in Out> extends ProducingOptions<Out>, ConsumerOptions<In> {}
