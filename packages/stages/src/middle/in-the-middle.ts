import { type Context, type Events, type InFlight, isGraceful, producerConsumer } from '@genstage/core'
import type {
  AnySubscription,
  Ended,
  ProducerConsumerCallbacks,
  ProducerConsumerDefinition,
  Reason,
  Subscription,
} from '@genstage/core'

/** What a ready-made stage in the middle does. */
export interface Middle<In, Out> {
  handleEvents(events: readonly In[], from: Subscription): Events<Out> | InFlight<readonly Out[]>
  /** A subscription has begun. Whoever asks here asks by hand. */
  ask?(from: Subscription): void
  /** Takes the stage's own messages. */
  handleInfo?(message: unknown): readonly Out[]
  /** The events that come out at the end, for what has been taken in and not handed on. */
  rest?(): readonly Out[]
  /** The same at an end that does not wait: what was taken in, to be reported. */
  lost?(): readonly unknown[]
  /** The stage is over. */
  close?(): void
}

/** The last event is on its way: the stage ends behind it, for the reason for which the source has ended. */
class End {
  readonly reason: Reason

  constructor(reason: Reason) {
    this.reason = reason
  }
}

/**
 * A stage in the middle that knows its end. When its last producer has gone it hands on what it still holds. If the subscription was
 * `transient`, and the end a good one, it ends as well, behind the last event: it would have nothing to do any more. With `temporary` it
 * waits for another producer. What it holds when it ends in another way is reported as discarded.
 */
export function inTheMiddle<In, Out>(setup: (ctx: Context) => Middle<In, Out>): ProducerConsumerDefinition<In, Out> {
  return producerConsumer((_: void, ctx: Context): ProducerConsumerCallbacks<In, Out, never, unknown, never, never> => {
    const stage = setup(ctx)
    let producers = 0
    const isFollowed = (ended: Ended, from: AnySubscription): boolean =>
      from.options.cancel === 'transient' && isGraceful(ended.reason) && !ctx.stopping.aborted
    const report = (reason: 'killed' | 'stopped' | 'consumer_crash'): void => ctx.discard(stage.lost?.() ?? [], reason)
    if (stage.lost !== undefined) ctx.signal.addEventListener('abort', () => report('killed'), { once: true })
    return {
      handleEvents: (events: readonly In[], from: Subscription) => stage.handleEvents(events, from),
      handleSubscribe(from: AnySubscription) {
        if (from.role === 'consumer') return undefined
        producers++
        stage.ask?.(from)
        return stage.ask === undefined ? 'automatic' : 'manual'
      },
      handleCancel(ended: Ended, from: AnySubscription) {
        if (from.role === 'consumer' || --producers > 0) return []
        if (isFollowed(ended, from)) ctx.self.asyncInfo(new End(ended.reason))
        return stage.rest?.() ?? []
      },
      handleInfo(message: unknown) {
        if (!(message instanceof End)) return stage.handleInfo?.(message) ?? []
        if (producers === 0) ctx.stop(message.reason)
        return []
      },
      terminate(reason) {
        report(isGraceful(reason) ? 'stopped' : 'consumer_crash')
        stage.close?.()
      },
    } satisfies ProducerConsumerCallbacks<In, Out, never, unknown, never, unknown>
  })
}
