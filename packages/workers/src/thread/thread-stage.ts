import {
  type AnyMessages,
  createRuntime,
  type DiscardReason,
  type ProducerConsumerRef,
  type Reason,
  start,
  type Subscription,
} from '@genstage/core'
import { addressOf, peerAddress } from '@genstage/core/protocol'
import { type Cargo, notCloneable, pack, unpack } from '../cargo.ts'
import type { FromThread, Opening, Request, ToThread } from '../messages.ts'
import { reasonFrom, wireReason } from '../wire.ts'
import { inLife, type Life } from './life.ts'
import type { Defined } from './load.ts'
import { portLogger } from './port-logger.ts'
import { Sources } from './sources.ts'

/** Posts to the other side. Throws what the platform throws about a message that cannot be cloned. */
export type Post = (message: FromThread, transfer?: readonly ArrayBuffer[]) => void

/** The stage on this thread: a real one, with the port in the place of its producers and of its consumer. */
export class ThreadStage implements Life {
  readonly name: string | undefined
  readonly restartCount: number
  readonly #opening: Opening
  readonly #post: Post
  readonly #stage: ProducerConsumerRef<unknown, unknown, AnyMessages>
  readonly #sources: Sources
  readonly #stopping = new AbortController()
  /** Batches that are not done, with the numbers of their requests. */
  readonly #batches = new Map<readonly unknown[], number>()
  /** How `handleSubscribe` wants to be asked. */
  readonly #modes = new WeakMap<Subscription, unknown>()
  #callbacks: readonly string[] = []
  /** Why the other side wants it to end, once it does. */
  #asked: Reason | undefined

  constructor(post: Post, opening: Opening, definition: Defined) {
    const { name, restartCount, arg, label, type } = opening
    this.name = name
    this.restartCount = restartCount
    this.#opening = opening
    this.#post = post
    const runtime = createRuntime({ logger: portLogger(post) })
    this.#stage = start(inLife(definition, this), { arg, name: label, runtime })
    this.#sources = new Sources(this.#stage, post)
    if (type === 'producerConsumer') this.#read()
    this.#stage.ready.then(
      as => post({ type: 'started', as, callbacks: this.#callbacks }),
      () => {}, // told with the end
    )
  }

  /** Resolves when the stage has ended, and the other side has been told. */
  async ended(): Promise<void> {
    const reason = await this.#stage.exited
    this.#post({ type: 'exited', reason: wireReason(reason), asked: reason === this.#asked })
  }

  /** Takes a message of the other side. */
  take(message: ToThread): void {
    switch (message.type) {
      case 'events': {
        const events = unpack(message.cargo)
        this.#batches.set(events, message.number)
        return this.#sources.deliver(message.subscription, events, message.redeliveries)
      }
      case 'stopping':
        return this.#stopping.abort(new DOMException('the stage is ending', 'AbortError'))
      case 'stop': {
        this.#asked = reasonFrom(message.reason)
        void this.#stage.stop(this.#asked, { timeout: Infinity })
        return
      }
      default: {
        const link = this.#handOver(message)
        // The question comes to the stage behind what has just been posted: the answer means that it has been dealt with
        const done = (): void => {
          const mode = link !== undefined && this.#modes.get(link) === 'manual' ? 'manual' : 'automatic'
          this.#post({ type: 'done', number: message.number, mode })
        }
        this.#stage.inspect({ timeout: Infinity }).then(done, () => {}) // no answer: it has ended
      }
    }
  }

  /** Posts to the stage what came for it. Answers the subscription that was made for that, if one was. */
  #handOver(message: Exclude<Request, { type: 'events' }> & { readonly number: number }): Subscription | undefined {
    switch (message.type) {
      case 'subscribe':
        return this.#sources.subscribe(message.subscription, message.producer, message.options)
      case 'cancelled':
        this.#sources.end(message.subscription, message.kind, reasonFrom(message.reason))
        return undefined
      case 'call':
        void this.#call(message.number, message.request)
        return undefined
      case 'cast':
        this.#stage.cast(message.message)
        return undefined
      case 'info':
        this.#stage.send(message.message)
        return undefined
    }
  }

  async #call(number: number, request: unknown): Promise<void> {
    try {
      const value = await this.#stage.call(request, { timeout: Infinity })
      this.#orFail(() => {
        try {
          this.#post({ type: 'reply', number, value })
        } catch (cause) {
          throw notCloneable(this.#opening.label, 'the reply of handleCall', cause)
        }
      })
    } catch {
      // It has ended without an answer, and the other side says so
    }
  }

  // ── what the callbacks give

  handled(events: readonly unknown[], results: readonly unknown[]): boolean {
    const number = this.#batches.get(events)
    if (number === undefined) return false // of a producer on this thread
    this.#sendEvents(results, cargo => ({ type: 'done', number, cargo }))
    this.#batches.delete(events)
    return true
  }

  subscribed(from: Subscription, answer: unknown): void {
    this.#modes.set(from, answer)
  }

  begun(callbacks: readonly string[]): void {
    this.#callbacks = callbacks
  }

  discard(events: readonly unknown[], reason: DiscardReason | undefined): void {
    this.#orFail(() => this.#sendEvents(events, cargo => ({ type: 'discarded', cargo, reason })))
  }

  get stopping(): AbortSignal {
    return this.#stopping.signal
  }

  /** Reads what the stage emits from any other callback, as its only consumer. */
  #read(): void {
    const stage = addressOf(this.#stage)
    const from = peerAddress(this.#stage.runtime, {
      id: 'port',
      type: 'consumer',
      post: message => {
        if (message.type !== 'events') return
        this.#orFail(() => this.#sendEvents(message.events, cargo => ({ type: 'emitted', cargo })))
      },
    })
    stage.post({ type: 'subscribe', from, subscription: 'port', options: {}, current: undefined })
    stage.post({ type: 'ask', from, subscription: 'port', demand: Number.MAX_SAFE_INTEGER })
  }

  /** Throws `NOT_CLONEABLE` if one of the events cannot cross. */
  #sendEvents(events: readonly unknown[], messageOf: (cargo: Cargo) => FromThread): void {
    const { packing, label } = this.#opening
    try {
      const { cargo, buffers } = pack(events, packing)
      this.#post(messageOf(cargo), buffers)
    } catch (cause) {
      throw notCloneable(label, 'of a callback', cause, events, packing)
    }
  }

  /** Does what may throw where no callback runs that could fail: the stage fails with it. */
  #orFail(work: () => void): void {
    try {
      work()
    } catch (error) {
      void this.#stage.stop({ type: 'error', error })
    }
  }
}
