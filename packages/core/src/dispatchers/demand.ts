import { addDemand } from '../demand.ts'
import type {
  Delivery,
  Dispatched,
  Dispatcher,
  DispatcherContext,
  DispatcherFactory,
  DispatcherWarning,
  Recipient,
} from '../dispatcher.ts'
import { Outcome } from './outcome.ts'
import { badOption, ownOptions, refuseUnknown, wholeNumber } from '../options.ts'

/** Options of `demandDispatcher`. */
export interface DemandDispatcherOptions {
  /** An ask above it is logged (`ask_over_max`) and honoured. Default: the first amount asked. */
  readonly maxDemand?: number
  /** Serve the consumers of the very first dispatch in random order. Default false. */
  readonly shuffleDemandsOnFirstDispatch?: boolean
}

/**
 * Each event to one consumer: the one with the highest demand (GS-D1 to GS-D10). The default.
 *
 * Refuses bad options with `BAD_OPTION`.
 */
export function demandDispatcher(options?: DemandDispatcherOptions): DispatcherFactory {
  const where = 'demandDispatcher'
  const own = ownOptions(where, options)
  refuseUnknown(where, own, ['maxDemand', 'shuffleDemandsOnFirstDispatch'])
  const maxDemand = wholeNumber(where, own, 'maxDemand', 0, { min: 1 })
  const shuffle = own['shuffleDemandsOnFirstDispatch'] ?? false
  if (typeof shuffle !== 'boolean') throw badOption(where, 'shuffleDemandsOnFirstDispatch', shuffle, 'true or false')
  return context => new DemandDispatcher(maxDemand, shuffle, context)
}

// An answer is read at once, so all demand dispatchers share the one that tells their total alone
const answer = /* @__PURE__ */ new Outcome()

/** Up to so many recipients are looked for one by one: a map for them would cost more. */
const few = 8

/** Before the first subscription. */
const noEntries: Entry[] = []

/** A recipient and its open demand. */
interface Entry {
  readonly to: Recipient
  demand: number
  /** Which insertion this was: among equal demands the earliest comes first (GS-D3). */
  turn: number
  /** Its place in the heap. */
  place: number
}

/**
 * The reference keeps a list in descending demand and puts an entry behind its equals. That order, demand and then turn, is also
 * the order of a heap, which makes an ask among 100,000 consumers as cheap as among ten.
 */
class DemandDispatcher implements Dispatcher {
  #heap: Entry[] = noEntries
  /** By recipient, once they are more than a few. */
  #entries: Map<Recipient, Entry> | undefined
  /** The largest ask that is not worth a warning; 0 until the first. */
  #maxDemand: number
  /** The sum of all demands. */
  #total = 0
  /** Whether the sum is larger than what numbers can tell exactly, and stands at that limit. */
  #isSaturated = false
  #turns = 0
  #shuffle: boolean
  readonly #context: DispatcherContext
  /** The answer to a dispatch, used again; forgotten when somebody leaves who may be named in it (INV-22). */
  #dispatched: Outcome | undefined
  /** Used again for each dispatch that goes to one recipient, by far the most. */
  #single: [{ to: Recipient; events: readonly unknown[] }] | undefined

  constructor(maxDemand: number, shuffle: boolean, context: DispatcherContext) {
    this.#maxDemand = maxDemand
    this.#shuffle = shuffle
    this.#context = context
  }

  subscribe(to: Recipient): Dispatched {
    const entry: Entry = { to, demand: 0, turn: this.#turns++, place: this.#heap.length }
    if (this.#heap === noEntries) this.#heap = [entry]
    else this.#heap.push(entry)
    if (this.#entries !== undefined) this.#entries.set(to, entry)
    else if (this.#heap.length > few) this.#entries = new Map(this.#heap.map(each => [each.to, each]))
    this.#rise(entry)
    return this.#answered()
  }

  ask(to: Recipient, demand: number): Dispatched {
    const entry = this.#find(to)
    if (entry === undefined) return this.#answered()
    if (this.#maxDemand === 0) this.#maxDemand = demand
    entry.demand = addDemand(entry.demand, demand)
    entry.turn = this.#turns++
    this.#add(demand)
    this.#rise(entry)
    this.#sink(entry)
    if (demand <= this.#maxDemand) return this.#answered()
    const warning: DispatcherWarning = { code: 'ask_over_max', n: demand, max: this.#maxDemand, consumer: to.consumerId }
    const outcome = new Outcome().with(this.#total)
    outcome.warnings = [warning]
    return outcome
  }

  cancel(to: Recipient): Dispatched {
    const entry = this.#find(to)
    if (entry === undefined) return this.#answered()
    this.#entries?.delete(to)
    this.#dispatched = undefined
    this.#single = undefined
    const last = this.#heap.pop()
    if (last !== undefined && last !== entry) {
      this.#put(last, entry.place)
      this.#rise(last)
      this.#sink(last)
    }
    this.#subtract(entry.demand)
    return this.#answered()
  }

  dispatch(events: readonly unknown[]): Dispatched {
    if (this.#shuffle) return this.#dispatchShuffled(events)
    const head = this.#heap[0]
    if (head === undefined || head.demand === 0) return this.#done(undefined, events)
    if (head.demand < events.length) return this.#dispatchToSeveral(events)
    this.#serve(head, events.length)
    this.#sink(head)
    return this.#done(this.#one(head.to, events))
  }

  /** To whoever has the highest demand now: nothing waits here that they could be put in front of. */
  giveBack(undone: readonly unknown[], from: Recipient): Dispatched {
    this.cancel(from)
    return this.dispatch(undone)
  }

  inspect(): unknown {
    const demands = this.#heap.toSorted((a, b) => (precedes(a, b) ? -1 : 1))
    return {
      type: 'demand',
      maxDemand: this.#maxDemand === 0 ? undefined : this.#maxDemand,
      demands: demands.map(({ to, demand }) => ({ consumer: to.consumerId, subscription: to.subscriptionId, demand })),
    }
  }

  #dispatchToSeveral(events: readonly unknown[]): Dispatched {
    const deliveries: Delivery[] = []
    let sent = 0
    for (let head = this.#heap[0]; head !== undefined && head.demand > 0 && sent < events.length; head = this.#heap[0]) {
      const count = Math.min(head.demand, events.length - sent)
      deliveries.push({ to: head.to, events: events.slice(sent, sent + count) })
      sent += count
      this.#serve(head, count)
      this.#sink(head)
    }
    return this.#done(deliveries, sent === events.length ? undefined : events.slice(sent))
  }

  /**
   * The first dispatch of a shuffled dispatcher (GS-D8). Only consumers that have demand take part: in the reference one without
   * can come first and block the others.
   */
  #dispatchShuffled(events: readonly unknown[]): Dispatched {
    this.#shuffle = false
    const order = this.#heap.filter(entry => entry.demand > 0)
    for (let index = order.length - 1; index > 0; index--) {
      const other = Math.floor(this.#context.random() * (index + 1))
      const [a, b] = [order[index], order[other]]
      if (a !== undefined && b !== undefined) [order[index], order[other]] = [b, a]
    }
    const deliveries: Delivery[] = []
    let sent = 0
    for (const entry of order) {
      const count = Math.min(entry.demand, events.length - sent)
      if (count === 0) break
      deliveries.push({ to: entry.to, events: events.slice(sent, sent + count) })
      sent += count
      this.#serve(entry, count)
      this.#sink(entry)
    }
    return this.#done(deliveries, sent === events.length ? undefined : events.slice(sent))
  }

  #find(to: Recipient): Entry | undefined {
    if (this.#entries !== undefined) return this.#entries.get(to)
    const heap = this.#heap
    for (let place = 0; place < heap.length; place++) if (heap[place]?.to === to) return heap[place]
    return undefined
  }

  #serve(entry: Entry, count: number): void {
    entry.demand -= count
    entry.turn = this.#turns++
    this.#subtract(count)
  }

  #one(to: Recipient, events: readonly unknown[]): readonly Delivery[] {
    if (this.#single === undefined) this.#single = [{ to, events }]
    else {
      const [delivery] = this.#single
      delivery.to = to
      delivery.events = events
    }
    return this.#single
  }

  #answered(): Outcome {
    answer.allowance = this.#total
    return answer
  }

  #done(deliveries?: readonly Delivery[], leftover?: readonly unknown[]): Outcome {
    const outcome = (this.#dispatched ??= new Outcome())
    outcome.allowance = this.#total
    outcome.deliveries = deliveries
    outcome.leftover = leftover
    return outcome
  }

  #add(demand: number): void {
    this.#isSaturated ||= this.#total + demand > Number.MAX_SAFE_INTEGER
    this.#total = addDemand(this.#total, demand)
  }

  /** Takes demand away; from a sum that was too large to be exact by adding up what is left (INV-3). */
  #subtract(demand: number): void {
    if (!this.#isSaturated) this.#total -= demand
    else {
      this.#total = 0
      this.#isSaturated = false
      for (const entry of this.#heap) this.#add(entry.demand)
    }
  }

  #put(entry: Entry, place: number): void {
    this.#heap[place] = entry
    entry.place = place
  }

  /** Moves an entry towards the top until its parent precedes it. */
  #rise(entry: Entry): void {
    while (entry.place > 0) {
      const parentPlace = (entry.place - 1) >> 1
      const parent = this.#heap[parentPlace]
      if (parent === undefined || precedes(parent, entry)) return
      this.#put(parent, entry.place)
      this.#put(entry, parentPlace)
    }
  }

  /** Moves an entry towards the bottom until it precedes its children. */
  #sink(entry: Entry): void {
    for (let leftPlace = entry.place * 2 + 1; leftPlace < this.#heap.length; leftPlace = entry.place * 2 + 1) {
      const left = this.#heap[leftPlace]
      if (left === undefined) return
      const right = leftPlace + 1 < this.#heap.length ? this.#heap[leftPlace + 1] : undefined
      const first = right !== undefined && precedes(right, left) ? right : left
      if (precedes(entry, first)) return
      const { place } = first
      this.#put(first, entry.place)
      this.#put(entry, place)
    }
  }
}

function precedes(a: Entry, b: Entry): boolean {
  return a.demand > b.demand || (a.demand === b.demand && a.turn < b.turn)
}
