import {
  type AnySubscription,
  consumer,
  type ConsumerDefinition,
  type Context,
  type Ended,
  type Messages,
  producer,
  producerConsumer,
  type ProducerConsumerDefinition,
  type ProducerDefinition,
  type Subscription,
} from '@genstage/core'
import type { StageRecord } from '../ledger.ts'
import type { ConsumerPlan, ProducerConsumerPlan, ProducerPlan, StagePlan } from '../topology-plan.ts'
import type { Journal } from './journal.ts'
import { PlannedError } from './planned-error.ts'

/** Numbers of events tell where they come from: this many for each life of a stage. */
const eventsPerStage = 1_000_000

/** Comes back as an info, behind so many events. */
interface Marker {
  readonly after: number
}

type PlannedMessages = Messages<number, number, 'crash', Marker>

/** Makes definitions of planned stages. What their callbacks are told is entered in the journal. */
export class PlannedStages {
  readonly #journal: Journal
  readonly #count: number
  /** Which of them have begun at all. */
  readonly #begun = new Set<number>()
  /** How many lives there were besides the first of each. */
  #restarts = 0

  /** `count` is how many stages the plan has. */
  constructor(journal: Journal, count: number) {
    this.#journal = journal
    this.#count = count
  }

  consumer(plan: ConsumerPlan, index: number): ConsumerDefinition<number, void, Messages<never, unknown, 'crash', Marker>> {
    return consumer((_: void, ctx) => {
      const record = this.#open(plan, index, ctx)
      return {
        handleEvents: (events: readonly number[], from) => this.#handle(plan, record, events, from, () => undefined),
        handleSubscribe: from => this.#subscribed(record, from),
        ...this.#common(record, ctx),
      }
    })
  }

  producerConsumer(plan: ProducerConsumerPlan, index: number): ProducerConsumerDefinition<number, number, void, PlannedMessages> {
    return producerConsumer((_: void, ctx) => {
      const record = this.#open(plan, index, ctx)
      const made = this.#numbers(index)
      return {
        handleEvents: (events: readonly number[], from) =>
          this.#handle(plan, record, events, from, () => made(transformed(plan.transform, events.length))),
        handleSubscribe: (from: AnySubscription) => this.#subscribed(record, from),
        handleCall: answering(record, made),
        ...this.#common(record, ctx),
      }
    })
  }

  producer(plan: ProducerPlan, index: number): ProducerDefinition<number, void, PlannedMessages> {
    const journal = this.#journal
    return producer.of<number>()((_: void, ctx) => {
      const record = this.#open(plan, index, ctx)
      const made = this.#numbers(index)
      let left = plan.limit
      return {
        handleDemand: (demand: number) => {
          record.demanded += demand
          journal.ledger.history.push(`${record.name} demand ${demand}`)
          const count = Math.min(left, supplied(plan, demand))
          left -= count
          if (record.left !== undefined) record.left = left
          const events = made(count)
          if (plan.source !== 'async') return journal.emits(record, events)
          return journal.overlap(record, journal.simulation.delay(3)).then(() => journal.emits(record, events))
        },
        handleSubscribe: (from: AnySubscription) => void this.#subscribed(record, from),
        handleCall: answering(record, made),
        ...this.#common(record, ctx),
      }
    })
  }

  #open(plan: StagePlan, index: number, ctx: Context): StageRecord {
    const record = this.#journal.open(ctx.self.id, stageName(plan, index), plan)
    if (plan.failsToStart?.includes(ctx.restartCount) === true) throw thrownBy(record, `does not start (${ctx.restartCount})`)
    return record
  }

  /** Makes events, each with a number of its own. */
  #numbers(index: number): (count: number) => number[] {
    const place = this.#begun.has(index) ? this.#count + this.#restarts++ : index
    this.#begun.add(index)
    let next = place * eventsPerStage
    return count => Array.from({ length: count }, () => next++)
  }

  /** What the callbacks of all kinds have in common: they enter what they are told. */
  #common(record: StageRecord, ctx: Context) {
    const { ledger } = this.#journal
    return {
      handleCancel: (ended: Ended, from: AnySubscription): undefined => {
        const subscription = this.#journal.recordOf(from)
        subscription.ended[from.role === 'producer' ? 'consumer' : 'producer'].push(ended)
        ledger.history.push(`${record.name} ${ended.kind} ${ended.reason.type} ${from.id}`)
        return undefined
      },
      handleCast: (_message: 'crash'): undefined => {
        throw thrownBy(record, 'crashes')
      },
      handleInfo: (marker: Marker): undefined => {
        this.#journal.checkMarker(record, marker.after)
        return undefined
      },
      formatDiscarded: () => false,
      terminate: (reason: StageRecord['terminated'][number]): undefined => {
        record.terminated.push(reason)
        void ctx.stopping.aborted
        return undefined
      },
    }
  }

  #subscribed(record: StageRecord, from: AnySubscription): 'manual' | 'automatic' | undefined {
    const subscription = this.#journal.subscribed(record, from)
    if (from.role === 'consumer') return undefined
    return subscription.manual ? 'manual' : 'automatic'
  }

  /** Handles a batch as planned. */
  #handle(
    plan: ConsumerPlan | ProducerConsumerPlan,
    record: StageRecord,
    events: readonly number[],
    from: Subscription,
    output: () => readonly number[] | undefined,
  ): undefined | Promise<undefined> {
    const journal = this.#journal
    const batch = journal.batch(record, events, from)
    const fails = batch === plan.failAt
    if (plan.handler === 'throws' && fails) throw thrownBy(record, `throws at batch ${batch}`)
    if (plan.handler === 'never' && fails) return journal.overlap(record, new Promise<undefined>(() => {}))
    const result = journal.emits(record, output()) as undefined
    if (plan.handler !== 'async') return result
    return journal.overlap(
      record,
      journal.simulation.delay(1 + (batch % 4)).then(() => result),
    )
  }
}

/** An error, entered. */
function thrownBy(record: StageRecord, what: string): PlannedError {
  const error = new PlannedError(`${record.name} ${what}`)
  record.thrown.push(error)
  return error
}

/** What a planned stage is called. */
export function stageName(plan: StagePlan, index: number): string {
  return `${plan.type}${index}`
}

/** Emits as many events as a call asks for. */
function answering(record: StageRecord, made: (count: number) => number[]) {
  return (count: number): { readonly reply: number; readonly events: readonly number[] } => {
    const events = made(count)
    record.emitted.push(...events)
    for (const event of events) record.called.add(event)
    return { reply: count, events }
  }
}

function supplied(plan: ProducerPlan, demand: number): number {
  if (plan.source === 'fewer') return Math.max(0, demand - 1)
  if (plan.source === 'more') return demand + 2
  return plan.source === 'manual' ? 0 : demand
}

function transformed(transform: 'same' | 'half' | 'twice', count: number): number {
  if (transform === 'half') return Math.floor(count / 2)
  return transform === 'twice' ? count * 2 : count
}
