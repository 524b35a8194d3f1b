import { consumer, type ConsumerDefinition, GenStageError, isGraceful, type Reason } from '@genstage/core'
import { show, whenKilled } from '@genstage/core/adapters'
import { failureOf } from './failure-of.ts'

/** An observer: an rxjs `Subject`, a subscriber, or an object with some of the three methods. */
export interface ObserverTarget<in T> {
  next?(event: T): void
  error?(error: unknown): void
  complete?(): void
  /** True when it wants no more, as a subscriber of rxjs tells. */
  readonly closed?: boolean
}

/** An observer, or a function that makes one: with a function, a restart begins with a new one. */
export type ObserverSource<T> = ObserverTarget<T> | (() => ObserverTarget<T>)

/**
 * A consumer that gives its events to an observer, synchronously, one after the other. The observer is told of the end of the *stage*:
 * `complete` for a good one, `error` with the original error for a failure. One that is `closed` stops the stage; one that throws fails it,
 * and is told nothing more.
 *
 * Refuses with `BAD_SINK` what has none of the methods `next`, `error` and `complete`, here or, for a function, at the start.
 *
 * ```ts
 * import { Subject } from 'rxjs'
 *
 * const letters = new Subject<string>()
 * letters.subscribe({ next: letter => console.log(letter), complete: () => console.log('done') })
 * await start(toObserver(letters), { subscribeTo: [start(fromIterable(['a', 'b']))] }).done
 * // => a
 * // => b
 * // => done
 * ```
 */
export function toObserver<T>(observer: ObserverSource<T>): ConsumerDefinition<T> {
  if (typeof observer !== 'function') requireObserver(observer)
  return consumer.of<T>()((_: void, ctx) => {
    let target: ObserverTarget<T> | undefined = typeof observer === 'function' ? observer() : observer
    requireObserver(target)
    const finish = (reason: Reason): void => {
      const told = target
      target = undefined
      if (told === undefined || told.closed === true) return
      if (isGraceful(reason)) told.complete?.()
      else told.error?.(failureOf(reason))
    }
    whenKilled(ctx, 'toObserver: the observer could not be told that its stage was killed', () => finish({ type: 'killed' }))
    return {
      handleEvents(events) {
        try {
          for (const event of events) {
            if (target === undefined || target.closed === true) break
            target.next?.(event)
          }
        } catch (error) {
          target = undefined
          throw error
        }
        if (target?.closed === true) ctx.stop()
      },
      terminate: finish,
    }
  })
}

function requireObserver(observer: unknown): void {
  if (typeof observer === 'object' && observer !== null) {
    const { next, error, complete } = observer as ObserverTarget<unknown>
    if ([next, error, complete].some(method => typeof method === 'function')) return
  }
  const text = `toObserver: an observer must have some of the methods next, error and complete: this is ${show(observer)}`
  throw new GenStageError('BAD_SINK', text)
}
