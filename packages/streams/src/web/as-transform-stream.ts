import {
  GenStageError,
  type ProducerConsumerDefinition,
  type ProducerConsumerRef,
  type Runtime,
  start,
  type SubscriptionOptions,
} from '@genstage/core'
import { abortSignal, optionsWithout, ownOptions, refuseUnknown, show } from '@genstage/core/adapters'
import { readableFrom } from './as-readable-stream.ts'
import { writableInto } from './as-writable-stream.ts'
import { checkDemand } from './stream-options.ts'
import type { StreamPair } from './web-streams.ts'

/** Options of `asTransformStream`. `maxDemand` and `minDemand` are those of both subscriptions. */
export interface AsTransformStreamOptions extends Pick<SubscriptionOptions, 'maxDemand' | 'minDemand'> {
  /** Errors both streams with the signal's reason, and stops the stage. */
  readonly signal?: AbortSignal
  /** Where a definition is started. Default: `defaultRuntime`. */
  readonly runtime?: Runtime
}

/**
 * A producer-consumer as the two ends of a web transform stream, for `pipeThrough`. A definition is started here; a stage that runs
 * already is taken over: from now on it lives as long as the streams.
 *
 * When the writable side is closed, the stage is drained and ends, and so does the readable side behind the last event. When that is
 * cancelled, the stage stops and the writable side is errored. A failure on either side, or of the stage, reaches both with its error.
 * Throws `BAD_OPTION`, and `NOT_A_STAGE` for what is no producer-consumer.
 *
 * ```ts
 * const Shout = producerConsumer(() => ({
 *   handleEvents: (texts: readonly string[]) => texts.map(text => text.toUpperCase()),
 * }))
 *
 * const bytes = new Blob(['hello']).stream()
 * const loud = bytes.pipeThrough(new TextDecoderStream()).pipeThrough(asTransformStream(Shout))
 * console.log(await new Response(loud.pipeThrough(new TextEncoderStream())).text()) // => HELLO
 * ```
 */
export function asTransformStream<In, Out>(
  stage: ProducerConsumerDefinition<In, Out> | ProducerConsumerRef<In, Out>,
  options?: AsTransformStreamOptions,
): StreamPair<In, Out> {
  const where = 'asTransformStream'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['maxDemand', 'minDemand', 'signal', 'runtime'])
  checkStage(where, stage)
  const shared = optionsWithout(own, 'runtime')
  checkDemand(where, shared)
  abortSignal(where, shared)
  const ref = isRunning(stage) ? stage : start(stage, 'runtime' in own ? { runtime: own['runtime'] as Runtime } : {})
  // A failure of the stage reaches both streams: it is not one that nobody watches
  ref.monitor(() => {})
  const writable = writableInto(where, ref, { ...shared, cancel: 'transient' }, () => {
    void ref.stop('normal', { drain: true, timeout: Infinity })
  })
  const readable = readableFrom(where, ref, shared, reason => {
    writable.error(reason ?? new GenStageError('STOPPED', `${where}: the readable side was cancelled`))
    void ref.stop()
  })
  return { writable: writable.stream, readable }
}

function isRunning<In, Out>(
  stage: ProducerConsumerDefinition<In, Out> | ProducerConsumerRef<In, Out>,
): stage is ProducerConsumerRef<In, Out> {
  return 'runtime' in stage
}

function checkStage(where: string, stage: unknown): void {
  const type = typeof stage === 'object' && stage !== null && 'type' in stage ? stage.type : undefined
  if (type === 'producerConsumer') return
  const text = `${where}: the stage must be a producer-consumer (its definition, or its ref), not ${show(type ?? stage)}`
  throw new GenStageError('NOT_A_STAGE', text)
}
