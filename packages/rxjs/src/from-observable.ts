import type { FromPushOptions, ProducerDefinition, PushSink } from '@genstage/core'
import { pushSource } from '@genstage/core/adapters'
import { isObservableLike, notObservable, type ObservableLike, subscribeTo } from './observable-like.ts'

/** An observable, or a function that makes one: with a function, a restart begins with a new one. */
export type ObservableSource<T> = ObservableLike<T> | (() => ObservableLike<T>)

/** Options of `fromObservable`: how many events wait, what becomes of more (`overflow`), and whether the stage outlives its consumers. */
export interface FromObservableOptions extends FromPushOptions {}

/**
 * A producer of what an observable pushes. It subscribes when the stage is set up, and unsubscribes once, when the stage ends. Completion
 * ends the stage `normal`, an error ends it with that very error; both behind the events before.
 *
 * An observable cannot be slowed down. Events that nobody has asked for wait, `bufferSize` (default 10,000) of them; beyond that `overflow`
 * decides which are dropped (default `dropOldest`), and each one is reported: telemetry `discarded` with `source_overflow`, and the log.
 * `overflow: 'error'` ends the stage with `SOURCE_OVERFLOW` instead. Where nothing may be lost and the source can wait, take `fromIterable`.
 *
 * Refuses with `BAD_SOURCE` what has neither `subscribe` nor `Symbol.observable`, here or, for a function, at the start; `BAD_OPTION`.
 *
 * ```ts
 * import { of } from 'rxjs'
 *
 * const letters = start(fromObservable(of('a', 'b')))
 * for await (const letter of letters.stream({ cancel: 'transient' })) console.log(letter)
 * // => a
 * // => b
 * ```
 */
export function fromObservable<T>(source: ObservableSource<T>, options?: FromObservableOptions): ProducerDefinition<T> {
  const where = 'fromObservable'
  const what = `${where}: the source`
  if (typeof source !== 'function' && !isObservableLike<T>(source)) throw notObservable(what, source)
  const connect = (sink: PushSink<T>): (() => void) => {
    const observer = {
      next: (event: T) => void sink.push(event),
      error: (error: unknown) => sink.fail(error),
      complete: () => sink.end(),
    }
    return subscribeTo(typeof source === 'function' ? source() : source, observer, what)
  }
  return pushSource(where, connect, options)
}
