import { type ConsumerRef, producer, type Reason, start, type SubscriptionOptions } from '@genstage/core'
import { burstOver } from './burst.ts'
import { end, lossOf } from '../endings.ts'

/** Events have been written. */
const arrived: unique symbol = Symbol('arrived')

/** A producer in the hands of a writer, with one consumer: it takes an event when that has asked for one. After the end nothing happens. */
export interface Inlet<T> {
  /** How the subscription of the consumer ends, once it does: then that has handled all that was written before. */
  readonly ended: Promise<Reason>
  /** Hands an event on. Where it has to wait until one is asked for, it returns a promise; that rejects if it fails first. */
  write(event: T): Promise<void> | undefined
  /** Ends it `normal`, behind what was written. */
  end(): void
  /** Ends it with this error. */
  fail(error: unknown): void
}

export function openInlet<T>(consumer: ConsumerRef<T>, options: SubscriptionOptions): Inlet<T> {
  /** Asked for, and not written yet. */
  let wanted = 0
  /** Written, and not emitted yet. */
  let written: T[] = []
  /** A write that waits until something is asked for. */
  let waiting: { readonly event: T; done(): void; failed(error: unknown): void } | undefined

  function emit(): readonly T[] {
    const events = written
    written = []
    return events
  }

  const definition = producer.of<T>()((_: void, ctx) => ({
    handleDemand(demand) {
      wanted += demand
      const write = waiting
      if (write === undefined) return
      waiting = undefined
      wanted--
      written.push(write.event)
      write.done()
      return emit()
    },
    handleInfo(message: typeof end | typeof arrived) {
      if (message === arrived) return emit()
      return ctx.stop()
    },
    terminate: reason => ctx.discard(emit(), lossOf(reason)),
  }))
  const ref = start(definition, { runtime: consumer.runtime })
  const subscription = consumer.subscribe({ ...options, to: ref })
  // A consumer that finds it ended already would not learn how
  const accepted = subscription.accepted.catch(() => {})
  return {
    ended: subscription.ended.then(({ reason }) => reason),
    write(event) {
      if (wanted === 0) return new Promise((done, failed) => (waiting = { event, done, failed }))
      wanted--
      written.push(event)
      if (written.length === 1) void burstOver(() => written.length).then(() => ref.send(arrived))
      return undefined
    },
    end() {
      void accepted.then(() => {
        ref.send(arrived)
        ref.asyncInfo(end)
      })
    },
    fail(error) {
      waiting?.failed(error)
      waiting = undefined
      void accepted.then(() => ref.stop({ type: 'error', error }))
    },
  }
}
