import { GenStageError } from '@genstage/core'
import type {
  ArgOption,
  ConsumerOptions,
  ConsumerRef,
  Definition,
  DispatcherOption,
  Messages,
  NameFor,
  ProducerConsumerDefinition,
  ProducerConsumerRef,
  ProducerDefinition,
  ProducerRef,
  StageRef,
  SubscriptionOptions,
} from '@genstage/core'
import { ownOptions, type OwnOptions } from '@genstage/core/adapters'

/** Options of a stage in a `pipe`: those of its start, and of its subscription to the stage above. */
export type ViaOptions<Arg, Ref extends StageRef> = ArgOption<Arg> &
  DispatcherOption<Ref> &
  ViaStart<Ref> &
  (Ref extends ProducerRef<unknown> ? ViaBuffer : unknown) &
  (Ref extends ConsumerRef<infer In> ? ViaSubscription<In> : unknown)

interface ViaStart<Ref extends StageRef> {
  /** Unique in the runtime, free again when the stage ends. */
  readonly name?: string | NameFor<NoInfer<Ref>>
  /** Milliseconds after which a stage whose setup is not done is killed. Default: none. */
  readonly startTimeout?: number
}

interface ViaBuffer {
  /** Events kept while nobody wants them. */
  readonly bufferSize?: number
  /** Which end survives when the buffer is full. */
  readonly bufferKeep?: 'first' | 'last'
}

type ViaSubscription<In> = Omit<SubscriptionOptions<In>, 'cancel' | 'resubscribe'>

declare const stands: unique symbol

/** A definition with its options, as an element of a `pipe`; made by `via`. */
export interface Via<out D> {
  readonly [stands]: D
}

/**
 * A definition with options, to be put into a `pipe`: those of a start (`arg`, `name`, `dispatcher`, `bufferSize` …) and those of its
 * subscription to the stage above (`maxDemand`, `minDemand` …) in one object. `runtime` and `signal` are options of the pipe; how the
 * stages follow each other is decided by it. Throws `BAD_OPTION`.
 *
 * ```ts
 * const pages = pipe(
 *   ['/a', '/b'],
 *   via(map(async path => `page ${path}`), { name: 'fetcher', maxDemand: 2 }),
 *   collect(),
 * )
 * console.log(await pages.result) // => [ 'page /a', 'page /b' ]
 * ```
 */
export function via<In, Out, Arg, M extends Messages>(
  definition: ProducerConsumerDefinition<In, Out, Arg, M>,
  options: ViaOptions<Arg, ProducerConsumerRef<In, Out, M>>,
): Via<ProducerConsumerDefinition<In, Out, Arg, M>>
export function via<In, Arg, Ref extends ConsumerRef<In>>(
  definition: Definition<Arg, ConsumerOptions<In>, Ref>,
  options: ViaOptions<Arg, Ref>,
): Via<Definition<Arg, ConsumerOptions<In>, Ref>>
export function via<Out, Arg, M extends Messages>(
  definition: ProducerDefinition<Out, Arg, M>,
  options: ViaOptions<Arg, ProducerRef<Out, M>>,
): Via<ProducerDefinition<Out, Arg, M>>
export function via(definition: unknown, options: unknown): unknown {
  return new ViaElement(definition, options)
}

/** Which options are for the subscription; the others are for the start. */
const forSubscription = ['maxDemand', 'minDemand', 'selector', 'partition', 'weight', 'redeliver']

/** What is decided by the pipe. */
const forThePipe = ['runtime', 'signal', 'link', 'subscribeTo', 'cancel', 'resubscribe', 'to', 'replaces']

/** An element of a pipe behind its types. Each option is checked by the start, or by the subscription. */
export class ViaElement {
  readonly definition: unknown
  readonly start: OwnOptions
  readonly subscription: OwnOptions

  constructor(definition: unknown, options: unknown) {
    const own = ownOptions('via', options)
    for (const option of forThePipe) {
      if (option in own)
        throw new GenStageError('BAD_OPTION', `via: ${option} is decided by the pipe, for all of its stages`, { option })
    }
    this.definition = definition
    this.start = only(own, option => !forSubscription.includes(option))
    this.subscription = only(own, option => forSubscription.includes(option))
  }
}

function only(own: OwnOptions, wanted: (option: string) => boolean): OwnOptions {
  return Object.fromEntries(Object.entries(own).filter(([option]) => wanted(option)))
}
