/** The callbacks of a scenario's stages: each records what it is called with, then does what the scenario wants. */
import type { AnySubscription, Context, Discarded, Ended, Reason, Subscription } from '@genstage/core'
import { batchFunction, sourceFunction } from './functions.ts'
import type { ConsumerStage, ProducerConsumerStage, ProducerStage, Stage } from './scenario.ts'
import { deliberately } from './scene.ts'
import type { Scene } from './scene.ts'
import { reasonOf } from './tokens.ts'

/** What a callback needs of its context. */
type Self = Pick<Context, 'stop'>

/** What every kind of stage has. */
export function commonCallbacks(stage: Stage, { recorder, subscriptions }: Scene, self: Self) {
  const { id, onSubscribe, onCancel } = stage
  const awaited = [...(stage.subscribeTo ?? [])]

  /** Subscriptions of the start have no tag, but they are made in the order of the list; those to nobody never are. */
  function identify(from: Subscription): void {
    if (subscriptions.description(from.id)) return
    const index = awaited.findIndex(each => each.producer === from.producer.name)
    const [description] = awaited.splice(0, index + 1).slice(-1)
    if (description) subscriptions.describe(from.id, description)
  }

  return {
    handleSubscribe(from: AnySubscription) {
      if (from.role === 'producer') {
        identify(from)
        subscriptions.make(from, onSubscribe !== 'stop')
      }
      recorder.subscribed(id, from)
      if (onSubscribe === 'stop') self.stop(reasonOf('refused'))
      const wrongMode = onSubscribe === 'manual' ? onSubscribe : undefined
      return deliberately<undefined>(from.role === 'producer' ? subscriptions.description(from.id)?.mode : wrongMode)
    },
    handleCancel(ended: Ended, from: AnySubscription) {
      recorder.cancelled(id, ended, from)
      if (onCancel !== 'stop') return onCancel
      self.stop(reasonOf('cancelled'))
      return undefined
    },
    handleCall(events: readonly number[]) {
      return { reply: 'ok', events }
    },
    handleCast(_message: 'raise'): never {
      throw new Error('boom')
    },
    handleInfo(message: string) {
      recorder.observe(id, ['info', message])
    },
    terminate(reason: Reason) {
      recorder.ended(id, 'terminate', reason)
    },
  }
}

/** What both kinds that have consumers add. */
export function producingCallbacks({ id }: Stage, { recorder }: Scene) {
  return {
    formatDiscarded({ count }: Discarded) {
      recorder.observe(id, ['discarded', count])
      return false
    },
  }
}

/** What a producer adds: where its events come from. */
export function demandCallbacks(stage: ProducerStage, { recorder }: Scene, self: Self) {
  const produce = sourceFunction(stage)
  return {
    handleDemand(demand: number) {
      recorder.observe(stage.id, ['demand', demand])
      const events = produce(demand)
      if (events === 'stop') self.stop()
      return events === 'stop' ? undefined : events
    },
  }
}

/** What the stages that take events add. */
export function eventCallbacks({ id, fn, raiseOn }: ProducerConsumerStage | ConsumerStage, { recorder }: Scene) {
  const compute = fn === undefined ? () => undefined : batchFunction(fn)
  return {
    handleEvents(events: readonly number[], from: Subscription) {
      recorder.received(id, events, from)
      if (raiseOn !== undefined && events.includes(raiseOn)) throw new Error('boom')
      return compute(events)
    },
  }
}
