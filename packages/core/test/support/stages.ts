/** Stages that write down what their callbacks are called with. */
import { consumer, producer, producerConsumer } from '@genstage/core'
import type {
  AnySubscription,
  ConsumerCallbacks,
  ConsumerDefinition,
  Context,
  Discarded,
  Ended,
  Messages,
  ProducerCallbacks,
  ProducerConsumerCallbacks,
  ProducerConsumerDefinition,
  ProducerDefinition,
  Reason,
} from '@genstage/core'

/** Events of tests: numbers that are counted, or letters. */
export type Item = number | string

/** One call of a callback. */
export type Entry =
  | readonly ['demand', demand: number]
  | readonly ['events', events: readonly Item[]]
  | readonly ['subscribed', role: AnySubscription['role'], peer: string, subscription: string]
  | readonly ['cancelled', kind: Ended['kind'], reason: Reason, subscription: string]
  | readonly ['info', message: unknown]
  | readonly ['discarded', count: number]
  | readonly ['terminated', reason: Reason]

/** What a stage has seen, in order. Several stages may share one, to compare their order. */
export type Seen = Entry[]

/** `call` (answered with ok) and `cast` bring events to emit. */
type Calls = readonly Item[]

type SourceCallbacks = ProducerCallbacks<Item, Calls, string, Calls, unknown>
type DoublerCallbacks = ProducerConsumerCallbacks<Item, Item, Calls, string, Calls, unknown>
type SinkCallbacks = ConsumerCallbacks<Item, Calls, string, Calls, unknown>
interface Recording {
  handleSubscribe(from: AnySubscription): undefined
  handleCancel(ended: Ended, from: AnySubscription): undefined
  handleInfo(message: unknown): undefined
  terminate(reason: Reason): undefined
}

/** Callbacks to use in place of the recording ones. */
type Instead<Callbacks> = (ctx: Context) => Partial<Callbacks>

export type ItemMessages = Messages<Calls, string, Calls, unknown>

/** A producer that emits what it is given by `call` or `cast`, and nothing on demand. */
export function source(
  seen: Seen = [],
  instead: Instead<SourceCallbacks> = () => ({}),
): ProducerDefinition<Item, void, ItemMessages> {
  return producer.of<Item>()((_: void, ctx) => ({
    ...recording(seen),
    ...emitting(seen),
    handleDemand(demand: number) {
      seen.push(['demand', demand])
    },
    ...instead(ctx),
  }))
}

/** A producer that counts from 0 and answers demand exactly, until it has emitted `limit` events. */
export function counter(
  seen: Seen = [],
  limit = Infinity,
  instead: Instead<SourceCallbacks> = () => ({}),
): ProducerDefinition<Item, void, ItemMessages> {
  return source(seen, ctx => {
    let next = 0
    return {
      handleDemand(demand) {
        seen.push(['demand', demand])
        const events = range(next, Math.min(next + demand, limit))
        next += events.length
        return events
      },
      ...instead(ctx),
    }
  })
}

/** A stage in the middle that emits every event twice. */
export function doubler(
  seen: Seen = [],
  instead: Instead<DoublerCallbacks> = () => ({}),
): ProducerConsumerDefinition<Item, Item, void, ItemMessages> {
  return producerConsumer.of<Item, Item>()((_: void, ctx) => ({
    ...recording(seen),
    ...emitting(seen),
    handleEvents(events: readonly Item[]) {
      seen.push(['events', events])
      return twice(events)
    },
    ...instead(ctx),
  }))
}

/** A consumer. */
export function sink(
  seen: Seen = [],
  instead: Instead<SinkCallbacks> = () => ({}),
): ConsumerDefinition<Item, void, ItemMessages> {
  return consumer.of<Item>()((_: void, ctx) => ({
    ...recording(seen),
    handleCall: (_events: Calls) => ({ reply: 'ok' }),
    handleCast(_events: Calls) {},
    handleEvents(events: readonly Item[]) {
      seen.push(['events', events])
    },
    ...instead(ctx),
  }))
}

function recording(seen: Seen): Recording {
  return {
    handleSubscribe(from) {
      const peer = from.role === 'producer' ? from.producer : from.consumer
      seen.push(['subscribed', from.role, peer.id, from.id])
      return undefined
    },
    handleCancel({ kind, reason }, from) {
      seen.push(['cancelled', kind, reason, from.id])
      return undefined
    },
    handleInfo(message) {
      seen.push(['info', message])
      return undefined
    },
    terminate(reason) {
      seen.push(['terminated', reason])
      return undefined
    },
  }
}

function emitting(seen: Seen): Required<Pick<SourceCallbacks, 'handleCall' | 'handleCast' | 'formatDiscarded'>> {
  return {
    handleCall: events => ({ reply: 'ok', events }),
    handleCast: events => events,
    formatDiscarded({ count }: Discarded) {
      seen.push(['discarded', count])
      return true
    },
  }
}

// ── reading what was seen

type What = Entry[0]
type Value<W extends What> = Extract<Entry, readonly [W, ...unknown[]]>[1]

/** The first value of each entry of one kind. */
export function valuesOf<W extends What>(seen: Seen, what: W): readonly Value<W>[] {
  return seen.filter(entry => entry[0] === what).map(entry => entry[1] as Value<W>)
}

/** The batches that `handleEvents` got. */
export function batches(seen: Seen): readonly (readonly Item[])[] {
  return valuesOf(seen, 'events')
}

/** All events that arrived, in order. */
export function items(seen: Seen): readonly Item[] {
  return batches(seen).flat()
}

/** The calls of `handleDemand`. */
export function demands(seen: Seen): readonly number[] {
  return valuesOf(seen, 'demand')
}

// ── lists of events

/** The whole numbers from `first` up to and without `end`. */
export function range(first: number, end: number): readonly number[] {
  return Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index)
}

/** A list cut into pieces of `size`. */
export function pieces<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) => list.slice(index * size, (index + 1) * size))
}

/** Each event of a list two times. */
export function twice<T>(list: readonly T[]): readonly T[] {
  return list.flatMap(each => [each, each])
}

/** Lets a value pass for what the types want: tests do on purpose what the types forbid. */
export function deliberately<T>(value: unknown): T {
  return value as T
}
