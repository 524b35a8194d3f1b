import type {
  ConsumerOptions,
  ConsumerRef,
  Definition,
  IterableSource,
  Messages,
  ProducerConsumerOptions,
  ProducerConsumerRef,
  ProducerOptions,
  ProducerRef,
  Runtime,
  Source,
  StageRef,
} from '@genstage/core'
import type { ResultRef } from '../results.ts'
import type { Pipeline } from './pipeline.ts'
import type { Via } from './via.ts'

/** A definition that needs no argument, or one that was given its options by `via`. */
type Element<Options, Ref> = Definition<void, Options, Ref> | Via<Definition<never, Options, Ref>>

/** Where a pipe begins: a definition, something to iterate, or a stage that is running already, by its ref or its typed name. */
export type PipeSource<Out> = Element<ProducerOptions<Out>, ProducerRef<Out>> | Source<Out> | IterableSource<Out>

/** A stage in the middle of a pipe. */
export type PipeMiddle<In, Out, M extends Messages = Messages> = Element<
  ProducerConsumerOptions<In, Out>,
  ProducerConsumerRef<In, Out, M>
>

/** Where a pipe ends. */
export type PipeSink<In, Ref extends ConsumerRef<In>> = Element<ConsumerOptions<In>, Ref>

/** A consumer, and no stage in the middle: there would be nobody to ask it for anything. */
type Last<In> = ConsumerRef<In> & { readonly stream?: never }

/** Options of a pipe. */
export interface PipeOptions {
  /** Default: that of the source if it is a ref, else `defaultRuntime`. */
  readonly runtime?: Runtime
  /** Stops the pipe (`shutdown`) when aborted. */
  readonly signal?: AbortSignal
}

/** The stages that a pipe starts for its source: none, if that is running already. */
type Started<S, Out> = S extends StageRef
  ? []
  : S extends Definition<never, never, infer Ref extends StageRef> | Via<Definition<never, never, infer Ref extends StageRef>>
    ? [Ref]
    : S extends { readonly name: string }
      ? []
      : [ProducerRef<Out>]

type ResultFrom<Ref> = Ref extends ResultRef<never, infer Result> ? Result : void

/** A stage in the middle, as it runs. */
type Mid<In, Out, M extends Messages> = ProducerConsumerRef<In, Out, M>

/** `pipe`, for up to seven stages in the middle. The events of each stage have to be those that the next one takes. */
export interface Pipe {
  <
    S,
    A,
    B,
    M1 extends Messages,
    C,
    M2 extends Messages,
    D,
    M3 extends Messages,
    E,
    M4 extends Messages,
    F,
    M5 extends Messages,
    G,
    M6 extends Messages,
    H,
    M7 extends Messages,
    R extends Last<H>,
  >(
    source: S & PipeSource<A>,
    middle1: PipeMiddle<A, B, M1>,
    middle2: PipeMiddle<B, C, M2>,
    middle3: PipeMiddle<C, D, M3>,
    middle4: PipeMiddle<D, E, M4>,
    middle5: PipeMiddle<E, F, M5>,
    middle6: PipeMiddle<F, G, M6>,
    middle7: PipeMiddle<G, H, M7>,
    sink: PipeSink<H, R>,
    options?: PipeOptions,
  ): Pipeline<
    [
      ...Started<S, A>,
      Mid<A, B, M1>,
      Mid<B, C, M2>,
      Mid<C, D, M3>,
      Mid<D, E, M4>,
      Mid<E, F, M5>,
      Mid<F, G, M6>,
      Mid<G, H, M7>,
      R,
    ],
    ResultFrom<R>
  >
  <
    S,
    A,
    B,
    M1 extends Messages,
    C,
    M2 extends Messages,
    D,
    M3 extends Messages,
    E,
    M4 extends Messages,
    F,
    M5 extends Messages,
    G,
    M6 extends Messages,
    R extends Last<G>,
  >(
    source: S & PipeSource<A>,
    middle1: PipeMiddle<A, B, M1>,
    middle2: PipeMiddle<B, C, M2>,
    middle3: PipeMiddle<C, D, M3>,
    middle4: PipeMiddle<D, E, M4>,
    middle5: PipeMiddle<E, F, M5>,
    middle6: PipeMiddle<F, G, M6>,
    sink: PipeSink<G, R>,
    options?: PipeOptions,
  ): Pipeline<
    [...Started<S, A>, Mid<A, B, M1>, Mid<B, C, M2>, Mid<C, D, M3>, Mid<D, E, M4>, Mid<E, F, M5>, Mid<F, G, M6>, R],
    ResultFrom<R>
  >
  <
    S,
    A,
    B,
    M1 extends Messages,
    C,
    M2 extends Messages,
    D,
    M3 extends Messages,
    E,
    M4 extends Messages,
    F,
    M5 extends Messages,
    R extends Last<F>,
  >(
    source: S & PipeSource<A>,
    middle1: PipeMiddle<A, B, M1>,
    middle2: PipeMiddle<B, C, M2>,
    middle3: PipeMiddle<C, D, M3>,
    middle4: PipeMiddle<D, E, M4>,
    middle5: PipeMiddle<E, F, M5>,
    sink: PipeSink<F, R>,
    options?: PipeOptions,
  ): Pipeline<[...Started<S, A>, Mid<A, B, M1>, Mid<B, C, M2>, Mid<C, D, M3>, Mid<D, E, M4>, Mid<E, F, M5>, R], ResultFrom<R>>
  <S, A, B, M1 extends Messages, C, M2 extends Messages, D, M3 extends Messages, E, M4 extends Messages, R extends Last<E>>(
    source: S & PipeSource<A>,
    middle1: PipeMiddle<A, B, M1>,
    middle2: PipeMiddle<B, C, M2>,
    middle3: PipeMiddle<C, D, M3>,
    middle4: PipeMiddle<D, E, M4>,
    sink: PipeSink<E, R>,
    options?: PipeOptions,
  ): Pipeline<[...Started<S, A>, Mid<A, B, M1>, Mid<B, C, M2>, Mid<C, D, M3>, Mid<D, E, M4>, R], ResultFrom<R>>
  <S, A, B, M1 extends Messages, C, M2 extends Messages, D, M3 extends Messages, R extends Last<D>>(
    source: S & PipeSource<A>,
    middle1: PipeMiddle<A, B, M1>,
    middle2: PipeMiddle<B, C, M2>,
    middle3: PipeMiddle<C, D, M3>,
    sink: PipeSink<D, R>,
    options?: PipeOptions,
  ): Pipeline<[...Started<S, A>, Mid<A, B, M1>, Mid<B, C, M2>, Mid<C, D, M3>, R], ResultFrom<R>>
  <S, A, B, M1 extends Messages, C, M2 extends Messages, R extends Last<C>>(
    source: S & PipeSource<A>,
    middle1: PipeMiddle<A, B, M1>,
    middle2: PipeMiddle<B, C, M2>,
    sink: PipeSink<C, R>,
    options?: PipeOptions,
  ): Pipeline<[...Started<S, A>, Mid<A, B, M1>, Mid<B, C, M2>, R], ResultFrom<R>>
  <S, A, B, M1 extends Messages, R extends Last<B>>(
    source: S & PipeSource<A>,
    middle1: PipeMiddle<A, B, M1>,
    sink: PipeSink<B, R>,
    options?: PipeOptions,
  ): Pipeline<[...Started<S, A>, Mid<A, B, M1>, R], ResultFrom<R>>
  <S, A, R extends Last<A>>(
    source: S & PipeSource<A>,
    sink: PipeSink<A, R>,
    options?: PipeOptions,
  ): Pipeline<[...Started<S, A>, R], ResultFrom<R>>
}
