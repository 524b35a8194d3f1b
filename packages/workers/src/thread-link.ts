import type { WorkerOptions } from 'node:worker_threads'
import type { Context, Ended, Reason, Subscription } from '@genstage/core'
import { notCloneable, pack, type Packing, unpack } from './cargo.ts'
import type { FromThread, Opening, Request, WireFields } from './messages.ts'
import { type Done, type News, type ThreadListener, ThreadPort } from './thread-port.ts'
import { isCloneable, reasonFrom, thrownFrom, wireReason } from './wire.ts'

type Started = Extract<FromThread, { readonly type: 'started' }>

/** What the stage posts to itself, to be done when it is its turn. */
export class Note {
  readonly work: () => void

  constructor(work: () => void) {
    this.work = work
  }
}

/**
 * The thread of one stage, as that stage has it. What comes from the thread unasked is handed to the stage, and the end of one is the end
 * of the other.
 */
export class ThreadLink implements ThreadListener {
  /** Which callbacks there are on the thread, once its setup is done. Rejects if that fails. */
  readonly started: Promise<Started>
  readonly #ctx: Context
  readonly #label: string
  readonly #packing: Packing
  readonly #port: ThreadPort
  #starting: { resolve(started: Started): void; reject(error: unknown): void } | undefined
  /** Calls that have not been replied to, by the numbers of their requests. */
  readonly #calls = new Map<number, (value: unknown) => void>()
  readonly #subscriptions = new Map<string, Subscription>()
  /** Events that came from the thread and have not been emitted. */
  #emitted: unknown[] = []
  #isStopping = false
  /** What the thread, or the stage on it, has failed with. */
  #failure: { readonly error: unknown } | undefined
  /** Set when the stage on the thread has ended, or the thread: what is still to be done about that. */
  #last: (() => void) | undefined
  /** Set when that has been done: what is asked now is answered with this. */
  #over: { readonly error: unknown } | undefined

  /** Begins the thread; throws what `ThreadPort` does. */
  constructor(ctx: Context, opening: Opening, options: WorkerOptions) {
    this.#ctx = ctx
    this.#label = opening.label
    this.#packing = opening.packing
    this.#port = new ThreadPort(opening, options, this)
    this.started = new Promise((resolve, reject) => {
      this.#starting = { resolve, reject }
    })
    ctx.signal.addEventListener('abort', () => this.#port.terminate(), { once: true })
    ctx.stopping.addEventListener('abort', () => this.#stopRequested(), { once: true })
  }

  // ── what the stage asks

  /** Has a batch handled. Resolves with what the stage has to emit for it; rejects with `NOT_CLONEABLE` if an event cannot cross. */
  async handle(events: readonly unknown[], from: Subscription): Promise<readonly unknown[]> {
    const { redeliveries, id: subscription } = from
    // Events that may have to be delivered again stay here
    const packing: Packing = from.options.redeliver === undefined ? this.#packing : { ...this.#packing, transfer: 'none' }
    if (this.#over !== undefined) throw this.#over.error
    const done = await this.#port.request(
      () => {
        const { cargo, buffers } = pack(events, packing)
        return [{ type: 'events', subscription, cargo, redeliveries }, buffers]
      },
      cause => notCloneable(this.#label, 'of a batch', cause, events, packing),
    )
    const results = unpack(done.cargo ?? [])
    return this.#emitted.length === 0 ? results : [...this.takeEmitted(), ...results]
  }

  /** Tells the thread of a subscription. Resolves with how it is to be asked. */
  async subscribed(from: Subscription): Promise<'automatic' | 'manual'> {
    this.#subscriptions.set(from.id, from)
    const { id, name } = from.producer
    const options = optionsToTell(from)
    const done = await this.#ask({ type: 'subscribe', subscription: from.id, producer: { id, name }, options })
    return done?.mode ?? 'automatic'
  }

  async cancelled({ kind, reason }: Ended, from: Subscription): Promise<readonly unknown[]> {
    this.#subscriptions.delete(from.id)
    await this.#ask({ type: 'cancelled', subscription: from.id, kind, reason: wireReason(reason) })
    return this.takeEmitted()
  }

  /** Resolves when `handleCall` has dealt with it; `reply` may be called before that, or much later. */
  async call(request: unknown, reply: (value: unknown) => void): Promise<readonly unknown[]> {
    await this.#ask({ type: 'call', request }, number => this.#calls.set(number, reply))
    return this.takeEmitted()
  }

  async cast(message: unknown): Promise<readonly unknown[]> {
    await this.#ask({ type: 'cast', message })
    return this.takeEmitted()
  }

  async info(message: unknown): Promise<readonly unknown[]> {
    await this.#ask({ type: 'info', message })
    return this.takeEmitted()
  }

  /** Events that callbacks on the thread have given outside of a batch. They come before those of the next batch. */
  takeEmitted(): readonly unknown[] {
    const emitted = this.#emitted
    this.#emitted = []
    return emitted
  }

  /** Has `terminate` run. Resolves when the thread is gone; rejects if it has failed on the way there. */
  async stop(reason: Reason): Promise<void> {
    if (this.#last === undefined) {
      this.#isStopping = true
      this.#port.keepProcess(true)
      this.#port.post({ type: 'stop', reason: wireReason(reason) })
    }
    await this.#port.gone
    if (this.#isStopping && this.#failure !== undefined) throw this.#failure.error
  }

  /** Posts a message, and waits until it has been dealt with; not if there is nobody any more who could. */
  async #ask(request: Request, numbered?: (number: number) => void): Promise<Done | undefined> {
    if (this.#last !== undefined) return undefined
    return this.#port.request(
      number => {
        numbered?.(number)
        return [request, []]
      },
      cause => notCloneable(this.#label, `the message of a ${request.type}`, cause),
    )
  }

  // ── from the thread

  heard(news: News): void {
    switch (news.type) {
      case 'started':
        this.#starting?.resolve(news)
        this.#starting = undefined
        return this.#port.keepProcess(false)
      case 'reply': {
        const reply = this.#calls.get(news.number)
        this.#calls.delete(news.number)
        // Behind the events that were emitted before it (GS-C4)
        this.#ctx.self.send(new Note(() => reply?.(news.value)))
        return
      }
      case 'emitted':
        if (this.#emitted.length === 0) this.#ctx.self.send(new Note(() => {}))
        for (const event of unpack(news.cargo)) this.#emitted.push(event)
        return
      case 'discarded':
        return this.#ctx.discard(unpack(news.cargo), news.reason)
      case 'ask':
        return this.#subscriptions.get(news.subscription)?.ask(news.demand)
      case 'cancel':
        return this.#subscriptions.get(news.subscription)?.cancel(reasonFrom(news.reason))
      case 'log':
        return this.#ctx.logger[news.level](news.text, news.fields && fieldsFrom(news.fields))
      case 'exited':
        return this.#exited(reasonFrom(news.reason), news.asked)
    }
  }

  gone(error: unknown): void {
    if (this.#last === undefined) this.#fail(error)
  }

  // ── the end

  /** The stage on the thread has ended. If it was not told to, this one ends in the same way. */
  #exited(reason: Reason, asked: boolean): void {
    if (!asked && reason.type === 'error') return this.#fail(reason.error)
    this.#isStopping = false
    this.#end(() => {
      if (!asked) this.#ctx.stop(reason)
      // What it has left undone is given up, or goes back, as if this stage had stopped
      this.#close(new DOMException('the stage on the thread has ended', 'AbortError'))
    })
  }

  #fail(error: unknown): void {
    this.#failure = { error }
    this.#end(() => this.#close(error))
  }

  /**
   * The thread does nothing more. What has come from it is emitted and replied first: `last`, which ends the batches that are under way,
   * waits for its turn behind that. Whoever waits for a callback goes on, so that this turn comes.
   */
  #end(last: () => void): void {
    this.#last = last
    this.#port.keepProcess(true) // until it is gone, which is a matter of milliseconds
    this.#port.answerMessages()
    if (this.#starting !== undefined) return last()
    // The last messages of a thread may all come at once. What they have settled has to reach the stage before this does
    setImmediate(() => {
      // A stage that is about to end waits for its batches, and comes to no message before that
      if (this.#ctx.stopping.aborted) last()
      this.#ctx.self.send(new Note(() => this.#endOfStage(last)))
    })
  }

  #endOfStage(last: () => void): void {
    last()
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #stopRequested(): void {
    if (this.#last === undefined) this.#port.post({ type: 'stopping' })
    else setImmediate(this.#last)
    // A start that fails behind the setup has no `terminate`. The question is refused when the stage has ended, in whatever way
    this.#ctx.self.inspect({ timeout: Infinity }).then(undefined, () => this.#port.terminate())
  }

  /** Nothing more is answered. */
  #close(error: unknown): void {
    if (this.#over !== undefined) return
    this.#over = { error }
    this.#starting?.reject(error)
    this.#starting = undefined
    this.#port.rejectAll(error)
    this.#calls.clear()
  }
}

/** Options of a subscription that callbacks may want to read: those of a dispatcher, but for functions. */
function optionsToTell({ options }: Subscription): Readonly<Record<string, unknown>> {
  const core = ['maxDemand', 'minDemand', 'cancel', 'resubscribe', 'redeliver']
  return Object.fromEntries(Object.entries(options).filter(([key, value]) => !core.includes(key) && isCloneable(value)))
}

function fieldsFrom(fields: WireFields): Readonly<Record<string, unknown>> {
  const entries = Object.entries(fields)
  return Object.fromEntries(entries.map(([key, field]) => [key, 'thrown' in field ? thrownFrom(field.thrown) : field.plain]))
}
